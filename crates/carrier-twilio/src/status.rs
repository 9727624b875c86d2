//! Twilio's words for where a call stands, and ours: one table, read in both directions of the seam.

use domain::{AttemptStatus, Word};

/// Longest unknown word kept: the longest known one has eleven letters.
const MOST_WORD_BYTES: usize = 64;

/// The word in which Twilio says that a call waits for its turn.
const QUEUED: &str = "queued";

/// Every other word that is understood. `answered` is what a compatible carrier sends beside `in-progress`.
const WORDS: [(&str, AttemptStatus); 9] = [
    ("initiated", AttemptStatus::Initiated),
    ("ringing", AttemptStatus::Ringing),
    ("in-progress", AttemptStatus::InProgress),
    ("answered", AttemptStatus::InProgress),
    ("completed", AttemptStatus::Completed),
    ("busy", AttemptStatus::Busy),
    ("no-answer", AttemptStatus::NoAnswer),
    ("failed", AttemptStatus::Failed),
    ("canceled", AttemptStatus::Canceled),
];

/// Translates Twilio's word; one that nobody has seen before survives as it is.
pub(crate) fn word(text: &str) -> Word {
    if text == QUEUED {
        return Word::Queued;
    }
    match WORDS.iter().find(|(theirs, _)| *theirs == text) {
        Some((_, ours)) => Word::Known(*ours),
        None => Word::Other(text[..text.floor_char_boundary(MOST_WORD_BYTES)].into()),
    }
}

#[cfg(test)]
mod tests {
    //! The table, word by word.

    use super::*;

    #[test]
    fn every_word_that_twilio_documents_is_known_by_its_own_name() {
        let documented = [
            "initiated",
            "ringing",
            "in-progress",
            "completed",
            "busy",
            "no-answer",
            "failed",
            "canceled",
        ];
        for text in documented {
            let Word::Known(status) = word(text) else {
                panic!("{text} is not known")
            };
            assert_eq!(status.word(), text);
        }
        assert_eq!(word("queued"), Word::Queued);
        assert_eq!(word("answered"), Word::Known(AttemptStatus::InProgress));
    }

    #[test]
    fn a_word_that_nobody_has_seen_survives_and_moves_nothing() {
        for text in ["", "unconfirmed", "Completed", "cancelled", "parked"] {
            assert_eq!(word(text), Word::Other(text.into()));
            assert_eq!(word(text).status(), None);
        }
        let long = "\u{e9}".repeat(100);
        assert_eq!(word(&long).text(), "\u{e9}".repeat(32));
    }
}
