//! Dice that fall as they are told.

use std::collections::VecDeque;
use std::sync::Mutex;

use engine::dice::Dice;

/// Throws what was put into them, then always the same; ids count up.
#[derive(Debug, Default)]
pub struct LoadedDice {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    throws: VecDeque<u64>,
    after: u64,
    ids: u64,
}

impl LoadedDice {
    /// Dice that always throw `throw`. Zero makes every jittered gap its shortest, half of it.
    pub fn always(throw: u64) -> LoadedDice {
        LoadedDice {
            state: Mutex::new(State {
                after: throw,
                ..State::default()
            }),
        }
    }

    /// The next throws, in order.
    pub fn load(&self, throws: impl IntoIterator<Item = u64>) {
        self.state
            .lock()
            .expect("nobody panics while holding the dice")
            .throws
            .extend(throws);
    }
}

impl Dice for LoadedDice {
    fn throw(&self) -> u64 {
        let mut state = self.state.lock().expect("nobody panics while holding the dice");
        state.throws.pop_front().unwrap_or(state.after)
    }

    fn id_bits(&self) -> [u8; 10] {
        let mut state = self.state.lock().expect("nobody panics while holding the dice");
        state.ids += 1;
        let mut bits = [0; 10];
        bits[2..].copy_from_slice(&state.ids.to_be_bytes());
        bits
    }
}
