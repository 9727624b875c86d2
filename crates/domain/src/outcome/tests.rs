//! The words of the record.

use super::*;

#[test]
fn every_word_of_the_record_is_read_back_and_no_other() {
    for status in CallStatus::ALL {
        assert_eq!(CallStatus::from_word(status.word()), Some(status));
    }
    for other in ["", "Queued", "in_progress", "cancelled"] {
        assert_eq!(CallStatus::from_word(other), None, "{other}");
    }
}
