//! An export of another program, with whatever got into it.

use proptest::prelude::*;
use prototype::{Piece, Splitter};

use crate::{bytes, many};

/// A document of a call that is over.
const WHOLE: &str = r#"{"_id":{"$oid":"656e6f7a1f2c3d4e5f607182"},"user_id":"ada","to":"+15551230104","from":"+15550001111","twilio_sid":"CA1","status":"completed","attempt_count":1,"max_attempts":3,"should_retry":false,"next_retry_at":null,"attempts":[{"attempt_number":1,"twilio_sid":"CA1","status":"completed","timestamp":{"$date":1795341600000}}],"created_at":{"$date":1795341600000},"updated_at":{"$date":1795341600000}}"#;

/// How many documents became calls, and the lines of those that did not.
fn imported(export: &[u8]) -> (usize, Vec<u64>) {
    let (mut calls, mut broken) = (0, Vec::new());
    let mut take =
        |piece: Piece<'_>| match prototype::read(&piece, &testkit::given::policy(), testkit::clock::START) {
            Ok(_) => calls += 1,
            Err(error) => broken.push(error.line),
        };
    let mut splitter = Splitter::default();
    for portion in export.chunks(7) {
        splitter.push(portion, &mut take);
    }
    splitter.finish(&mut take);
    (calls, broken)
}

#[test]
fn whole_documents_are_taken() {
    assert_eq!(imported(format!("{WHOLE}\n{WHOLE}").as_bytes()), (2, Vec::new()));
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn no_bytes_upset_an_import(export in prop::collection::vec(any::<u8>(), 0..400)) {
        imported(&export);
    }

    #[test]
    fn a_broken_line_costs_itself_alone(garbage in bytes(), cut in 1..WHOLE.len()) {
        // As an editor leaves it, and a program that died while it wrote.
        let garbage: Vec<u8> = garbage.into_iter().filter(|byte| !b"\r\n".contains(byte)).collect();
        for line in [&WHOLE.as_bytes()[..cut], &garbage] {
            let export = [WHOLE.as_bytes(), line, WHOLE.as_bytes()].join(&b'\n');
            let (calls, broken) = imported(&export);
            let line = String::from_utf8_lossy(line);
            prop_assert_eq!(calls, 2, "the whole ones are taken, whatever stands between: {}", line);
            prop_assert!(broken.iter().all(|it| *it == 2), "{:?}: {}", broken, line);
        }
    }
}
