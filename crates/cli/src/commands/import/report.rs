//! What an import has done, in numbers, for people and for machines.

use domain::{Call, CallState, Timestamp};
use serde_json::{Value, json};

/// So many documents with remarks are told one by one: a systematic one would bury everything else.
pub const REMARKS_TOLD: u64 = 20;

/// What happens next to an imported call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Over,
    /// The carrier is asked how its attempt ended.
    Live,
    /// It is dialled at its time.
    Waiting,
    /// It is dialled as soon as a server runs.
    DueNow,
    /// Its dial is due too long already: it is given up.
    TooLate,
}

impl Standing {
    /// Of a call at this time.
    pub fn of(call: &Call, now: Timestamp) -> Standing {
        match call.state {
            CallState::Ended { .. } => Standing::Over,
            CallState::Live | CallState::Dialling { .. } => Standing::Live,
            CallState::Waiting { .. } if call.give_up_at().is_some_and(|at| at <= now) => Standing::TooLate,
            CallState::Waiting { due_at, .. } if due_at <= now => Standing::DueNow,
            CallState::Waiting { .. } => Standing::Waiting,
        }
    }
}

/// The numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Read, broken ones included.
    pub documents: u64,
    /// There from now on.
    pub imported: u64,
    /// There before.
    pub already_there: u64,
    /// Not understood; each was told with its line.
    pub broken: u64,
    /// Understood, with something odd.
    pub remarks: u64,
    over: u64,
    live: u64,
    waiting: u64,
    due_now: u64,
    too_late: u64,
}

impl Report {
    /// One more call is there.
    pub fn imported(&mut self, standing: Standing) {
        self.imported += 1;
        *match standing {
            Standing::Over => &mut self.over,
            Standing::Live => &mut self.live,
            Standing::Waiting => &mut self.waiting,
            Standing::DueNow => &mut self.due_now,
            Standing::TooLate => &mut self.too_late,
        } += 1;
    }

    /// For people.
    pub fn words(&self, dry_run: bool) -> String {
        let imported = if dry_run { "to import" } else { "imported" };
        let one = |count: u64, text: &str| format!("{count:>9}  {text}");
        let mut lines = vec![
            one(self.documents, "documents read"),
            one(self.imported, imported),
        ];
        let mut line = |count: u64, text: &str| {
            if count > 0 {
                lines.push(one(count, text));
            }
        };
        line(self.over, "  are over");
        line(self.live, "  may be live: the carrier is asked");
        line(self.waiting, "  wait for their time");
        line(self.due_now, "  are due now: dialled as soon as a server runs");
        line(
            self.too_late,
            "  were due too long ago: given up as soon as a server runs",
        );
        line(self.already_there, "were there already and stay as they are");
        line(self.broken, "broken, not imported (told above, with their lines)");
        line(self.remarks, "with a note, in their history");
        if dry_run {
            lines.push("nothing was written; calls that are there already were not looked for".to_owned());
        }
        lines.join("\n")
    }

    /// For machines.
    pub fn json(&self, dry_run: bool) -> Value {
        json!({
            "dry_run": dry_run,
            "documents": self.documents,
            "imported": self.imported,
            "already_there": self.already_there,
            "broken": self.broken,
            "noted": self.remarks,
            "over": self.over,
            "live": self.live,
            "waiting": self.waiting,
            "due_now": self.due_now,
            "too_late": self.too_late,
        })
    }
}

#[cfg(test)]
mod tests;
