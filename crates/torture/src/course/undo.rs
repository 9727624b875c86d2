//! How each fault is undone, in its time or all at once, and what has ended meanwhile is started again.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::{Course, Undo};
use crate::failure::Failure;
use crate::place::Place;
use crate::tools::SyncError;

/// Before a node that was asked to stop is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Course {
    /// Undoes what is to be undone by now. When the next thing is.
    ///
    /// # Errors
    /// Something cannot be brought back.
    pub fn mend(&mut self) -> Result<Option<Instant>, Failure> {
        while let Some(&Reverse((at, undo))) = self.undo.peek() {
            if at > Instant::now() {
                return Ok(Some(at));
            }
            self.undo.pop();
            self.undo_one(undo)?;
        }
        Ok(None)
    }

    fn undo_one(&mut self, undo: Undo) -> Result<(), Failure> {
        match undo {
            Undo::Start(node) => {
                if self.nodes[node].still_stops()? {
                    self.later(LOOK_AGAIN, undo);
                } else {
                    self.nodes[node].start()?;
                }
            }
            Undo::Thaw(node) => self.nodes[node].thaw(),
            Undo::HealCarrier(node) => self.to_carrier[node].heal(),
            Undo::HealDatabase(node) => self.to_database[node].heal(),
            Undo::StartServer => {
                if let Place::Server(server, _) = &mut self.place {
                    server.start_again()?;
                }
            }
            Undo::EmptyDisk => {
                self.place.disk().empty()?;
                // It gives up where it has no room to recover in.
                if let Place::Server(server, _) = &mut self.place
                    && server.has_ended()
                {
                    server.start_again()?;
                }
            }
            Undo::Nothing => {}
            Undo::LetGo => {
                self.sync.take().into_iter().for_each(SyncError::end);
            }
            Undo::SetClock => {
                if let Some(clock) = &self.clock {
                    clock.ahead(0)?;
                }
            }
        }
        Ok(())
    }

    /// Starts again what has ended by itself: a service manager would, too.
    ///
    /// # Errors
    /// The binary cannot be run, or ended as no program should.
    pub fn start_what_ended(&mut self) -> Result<(), Failure> {
        for node in 0..self.nodes.len() {
            if !self.waits(Undo::Start(node)) && self.nodes[node].has_ended()? {
                self.ended_by_themselves += 1;
                self.nodes[node].start()?;
            }
        }
        Ok(())
    }

    /// Undoes everything at once.
    ///
    /// # Errors
    /// As [`Course::mend`].
    pub fn end(&mut self) -> Result<(), Failure> {
        while !self.undo.is_empty() {
            let mut rest: Vec<Undo> = std::mem::take(&mut self.undo)
                .into_iter()
                .map(|it| it.0.1)
                .collect();
            rest.sort();
            rest.into_iter().try_for_each(|undo| self.undo_one(undo))?;
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}
