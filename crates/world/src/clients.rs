//! The people and programs that ask the server for something: calls, cancels, a pause. Each asks again where it has a
//! right to, and tells the checks what it was promised.

use std::sync::Arc;
use std::time::Duration;

use domain::{CallId, Phone, Request, UserId};
use engine::{Canceled, EngineError, Key, Taken};
use testkit::clock::START;

use crate::callbacks::Delivered;
use crate::hub::{Event, Hub, State};
use crate::plan::CallPlan;
use crate::process::Process;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// This call of the plan; `true`: with another body than the first client's.
    Call(usize, bool),
    /// That call not to be made.
    Cancel(usize),
    /// Dialling paused, or resumed.
    Switch(bool),
}

/// Somebody asks for something.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Which question of this world.
    pub id: u64,
    /// What is wanted.
    pub wish: Wish,
    /// How often it was asked before.
    pub tries: u32,
    /// When it was last asked.
    pub asked_ms: u64,
}

/// What the server says.
pub enum Heard {
    /// This life serves.
    Up(u64),
    /// This one has ended.
    Ended(u64),
    /// To a client.
    Answered(Question, Answer),
    /// To the carrier.
    Delivered(Box<Delivered>),
}

/// How a question was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The call of this name; `true`: as placed.
    Call(CallId, bool),
    /// The key is another request's.
    KeyTaken,
    /// It is not dialled any more.
    Canceled(CallId),
    /// It was over before, or there is no such call.
    TooLate,
    /// Dialling is paused, or is not.
    Paused(bool),
    /// An error: come again.
    Error,
}

/// A question reaches the server; without one it is asked again.
pub fn ask(
    hub: &Arc<Hub>,
    process: Option<&Process>,
    question: Question,
) -> Option<tokio::task::AbortHandle> {
    let mut state = hub.lock();
    // An operator may want something else by now.
    if matches!(question.wish, Wish::Switch(_)) && question.id != state.switched {
        return None;
    }
    let Some(process) = process.filter(|process| process.up) else {
        // Nothing was sent: everybody may come again.
        let gap = state.millis(500, 2_000);
        state.after(gap, Event::Asks(question));
        return None;
    };
    let node = process.life.who.node;
    state.tell(|| format!("a client asks node {node}: {:?}", question.wish));
    let asked_ms = state.now_ms();
    let question = Question { asked_ms, ..question };
    let id = about(&mut state, question, node)?;
    let plan = Arc::clone(&state.plan);
    state.asked += 1;
    drop(state);
    let (engine, hub) = (process.engine.clone(), Arc::clone(hub));
    let mut under_way = UnderWay {
        hub,
        question: Some(question),
    };
    Some(process.spawn(async move {
        let answer = match question.wish {
            Wish::Call(number, other) => called(&engine, &plan.calls[number], other).await,
            Wish::Cancel(number) => match id {
                Some(id) => canceled(engine.cancel(&user(&plan.calls[number]), id).await),
                None => Answer::TooLate,
            },
            Wish::Switch(true) => switched(engine.pause().await),
            Wish::Switch(false) => switched(engine.resume().await),
        };
        under_way.question = None;
        let mut state = under_way.hub.lock();
        state.is_asked_no_more(question);
        state.heard.push_back(Heard::Answered(question, answer));
    }))
}

/// Which call a question is about, if it is about one that is there; `None`: it is asked again later. Notes what may be
/// done from here on.
fn about(state: &mut State, question: Question, node: usize) -> Option<Option<CallId>> {
    let id = match question.wish {
        Wish::Cancel(number) => match state.checks.promised(number) {
            Some(id) => {
                if state.checks.last_dialled_by(id).is_some_and(|by| by != node) {
                    state
                        .goals
                        .reach("a call was canceled at another node than dialled it");
                }
                Some(id)
            }
            None => {
                again(state, question);
                return None;
            }
        },
        Wish::Switch(true) => None,
        Wish::Switch(false) => {
            // From here on somebody may be dialled, whatever becomes of the answer.
            state.checks.resumes();
            state.resuming += 1;
            None
        }
        Wish::Call(place, _) => {
            if state
                .asking
                .insert(place, node)
                .is_some_and(|other| other != node)
            {
                state.goals.reach("a key was used at two nodes at once");
            }
            None
        }
    };
    Some(id)
}

/// A question that is not answered yet. Where the server dies, or the client's patience ends, it may be asked again.
struct UnderWay {
    hub: Arc<Hub>,
    question: Option<Question>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(question) = self.question.take() {
            let mut state = self.hub.lock();
            state
                .dropped
                .questions
                .insert((question.id, question.tries), question);
        }
    }
}

/// What was under way has come to nothing.
pub fn dropped(state: &mut State, question: Question) {
    state.is_asked_no_more(question);
    again(state, question);
}

impl State {
    fn is_asked_no_more(&mut self, question: Question) {
        self.asked -= 1;
        match question.wish {
            Wish::Call(place, _) => {
                self.asking.remove(&place);
            }
            Wish::Switch(false) => {
                self.resuming -= 1;
                self.resumed_ms = self.now_ms();
            }
            Wish::Cancel(_) | Wish::Switch(true) => {}
        }
    }
}

/// The server has answered.
pub fn answered(state: &mut State, question: Question, answer: &Answer) {
    state.tell(|| format!("answered: {:?}: {answer:?}", question.wish));
    match (question.wish, answer) {
        (_, Answer::Error) => again(state, question),
        (Wish::Call(number, other), Answer::Call(id, placed)) => {
            state.goals.reach(match placed {
                true => "a call was answered as placed",
                false => "a call was answered as taken",
            });
            if state.checks.promised(number).is_some() {
                state.goals.reach("a key found its call again");
            }
            state.checks.promises(number, other, *id);
        }
        (Wish::Call(number, other), Answer::KeyTaken) => {
            state.goals.reach("a key was another request's");
            state.checks.key_taken(number, other);
        }
        // What the store that answered knew may be gone with it.
        (_, Answer::Canceled(_) | Answer::Paused(_))
            if state.checks.was_put_back_since(question.asked_ms) => {}
        (_, Answer::Canceled(id)) => state.checks.canceled(*id),
        // What was asked for later may be done already, and what was asked for before may have been done since, at a node
        // that was slow.
        (_, Answer::Paused(true))
            if question.id == state.switched
                && state.resuming == 0
                && state.resumed_ms < question.asked_ms =>
        {
            state.checks.pauses();
        }
        _ => {}
    }
}

/// Nobody knows what became of it: whoever may ask again does.
fn again(state: &mut State, question: Question) {
    let may = match question.wish {
        Wish::Call(number, _) => state.plan.calls[number].key,
        Wish::Cancel(_) => question.tries < 30,
        Wish::Switch(_) => question.id == state.switched,
    };
    if may {
        let gap = state.millis(100, 3_000);
        let tries = question.tries + 1;
        state.after(gap, Event::Asks(Question { tries, ..question }));
    }
}

async fn called(engine: &engine::Engine, plan: &CallPlan, other: bool) -> Answer {
    let key = plan.key.then(|| Key {
        key: format!("key-{}", plan.number),
        body: [u8::from(other); 32],
    });
    let place = |call: &domain::Call| call.attempts.iter().any(|attempt| attempt.sid.is_some());
    match engine.request(request(plan), key).await {
        Ok(Taken::Call(call)) => Answer::Call(call.id, place(&call)),
        Ok(Taken::KeyTaken) => Answer::KeyTaken,
        Err(_) => Answer::Error,
    }
}

fn canceled(answer: Result<Canceled, EngineError>) -> Answer {
    match answer {
        Ok(Canceled::Call(call)) => Answer::Canceled(call.id),
        Ok(Canceled::AlreadyOver(_) | Canceled::NoSuchCall) => Answer::TooLate,
        Err(_) => Answer::Error,
    }
}

fn switched(answer: Result<engine::Dialling, EngineError>) -> Answer {
    answer.map_or(Answer::Error, |it| Answer::Paused(it.paused_at.is_some()))
}

/// Whose call of the plan it is: every one has a user of its own, so that it can be told from the others.
pub fn user(plan: &CallPlan) -> UserId {
    UserId::new(&format!("user-{}", plan.number)).expect("a short word is a user id")
}

fn request(plan: &CallPlan) -> Request {
    let phone = |text: &str| -> Phone { text.parse().expect("the plan has valid numbers") };
    Request {
        user_id: user(plan),
        to: phone(&plan.to),
        from: phone(&plan.from),
        script: None,
        policy: plan.policy.clone(),
        scheduled_at: plan.scheduled.map(|gap| START + plan.at + gap),
        given: None,
    }
}

/// An operator pauses dialling, or lets it go on; the last wish counts.
pub fn switch(state: &mut State, paused: bool) {
    state.switched += 1;
    let question = Question {
        id: state.switched,
        wish: Wish::Switch(paused),
        tries: 0,
        asked_ms: 0,
    };
    state.after(Duration::ZERO, Event::Asks(question));
}

/// Everything that the plan's clients begin with.
pub fn enter(state: &mut State) {
    let plan = Arc::clone(&state.plan);
    let mut id = 0;
    let mut ask = |state: &mut State, at: Duration, wish| {
        id += 1;
        let question = Question {
            id,
            wish,
            tries: 0,
            asked_ms: 0,
        };
        state.after(at, Event::Asks(question));
        id
    };
    for (place, call) in plan.calls.iter().enumerate() {
        let first = ask(state, call.at, Wish::Call(place, false));
        if let Some((gap, equal)) = call.rival {
            ask(state, call.at + gap, Wish::Call(place, !equal));
        }
        if let Some(gap) = call.cancel {
            ask(state, call.at + gap, Wish::Cancel(place));
        }
        if let Some(gap) = call.leaves {
            state.after(call.at + gap, Event::Leaves(first));
        }
    }
}
