//! How a dial and how a call stand: the words of the record, and their order.

/// Where one attempt stands, in the words of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptStatus {
    /// Sent, or its fate is being looked up; the carrier has not said that it rings.
    Initiated,
    /// The carrier says that it rings.
    Ringing,
    /// Answered, by a person or a machine.
    InProgress,
    /// Was answered and has ended.
    Completed,
    /// The line was busy.
    Busy,
    /// Rang until the time-out, or was declined.
    NoAnswer,
    /// Could not be dialled, or was refused by the carrier.
    Failed,
    /// Hung up before it was answered.
    Canceled,
    /// Nothing, and no proof either way.
    Unconfirmed,
}

impl AttemptStatus {
    /// Every status, in the order of a call's life.
    pub const ALL: [AttemptStatus; 9] = [
        AttemptStatus::Initiated,
        AttemptStatus::Ringing,
        AttemptStatus::InProgress,
        AttemptStatus::Completed,
        AttemptStatus::Busy,
        AttemptStatus::NoAnswer,
        AttemptStatus::Failed,
        AttemptStatus::Canceled,
        AttemptStatus::Unconfirmed,
    ];

    /// Whether the carrier may still have this leg alive (or may not, and we do not know yet).
    pub fn is_open(self) -> bool {
        matches!(
            self,
            AttemptStatus::Initiated | AttemptStatus::Ringing | AttemptStatus::InProgress
        )
    }

    /// The word that the record shows.
    pub fn word(self) -> &'static str {
        CallStatus::from(self).word()
    }
}

/// Where a call stands, in the words of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallStatus {
    /// Accepted, and nothing of it has been sent yet.
    Queued,
    /// As the attempt of the same name.
    Initiated,
    /// As the attempt of the same name.
    Ringing,
    /// As the attempt of the same name.
    InProgress,
    /// As the attempt of the same name; final.
    Completed,
    /// As the attempt of the same name; final unless it will be retried.
    Busy,
    /// As the attempt of the same name; final unless it will be retried.
    NoAnswer,
    /// As the attempt of the same name; final unless it will be retried.
    Failed,
    /// Canceled by the carrier or by request; final.
    Canceled,
    /// As the attempt of the same name; final unless it will be retried.
    Unconfirmed,
}

impl CallStatus {
    /// Every status, in the order of a call's life.
    pub const ALL: [CallStatus; 10] = [
        CallStatus::Queued,
        CallStatus::Initiated,
        CallStatus::Ringing,
        CallStatus::InProgress,
        CallStatus::Completed,
        CallStatus::Busy,
        CallStatus::NoAnswer,
        CallStatus::Failed,
        CallStatus::Canceled,
        CallStatus::Unconfirmed,
    ];

    /// The word that the record shows.
    pub fn word(self) -> &'static str {
        match self {
            CallStatus::Queued => "queued",
            CallStatus::Initiated => "initiated",
            CallStatus::Ringing => "ringing",
            CallStatus::InProgress => "in-progress",
            CallStatus::Completed => "completed",
            CallStatus::Busy => "busy",
            CallStatus::NoAnswer => "no-answer",
            CallStatus::Failed => "failed",
            CallStatus::Canceled => "canceled",
            CallStatus::Unconfirmed => "unconfirmed",
        }
    }

    /// Reads a word of the record.
    pub fn from_word(word: &str) -> Option<CallStatus> {
        CallStatus::ALL.into_iter().find(|status| status.word() == word)
    }
}

impl From<AttemptStatus> for CallStatus {
    fn from(status: AttemptStatus) -> CallStatus {
        match status {
            AttemptStatus::Initiated => CallStatus::Initiated,
            AttemptStatus::Ringing => CallStatus::Ringing,
            AttemptStatus::InProgress => CallStatus::InProgress,
            AttemptStatus::Completed => CallStatus::Completed,
            AttemptStatus::Busy => CallStatus::Busy,
            AttemptStatus::NoAnswer => CallStatus::NoAnswer,
            AttemptStatus::Failed => CallStatus::Failed,
            AttemptStatus::Canceled => CallStatus::Canceled,
            AttemptStatus::Unconfirmed => CallStatus::Unconfirmed,
        }
    }
}

#[cfg(test)]
mod tests;
