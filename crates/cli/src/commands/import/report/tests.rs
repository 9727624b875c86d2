//! What an import says of itself.

use super::*;

#[test]
fn only_what_is_there_is_told() {
    let mut report = Report {
        documents: 5,
        broken: 1,
        already_there: 1,
        ..Report::default()
    };
    for standing in [Standing::Over, Standing::DueNow, Standing::Over] {
        report.imported(standing);
    }
    let told = "\x20       5  documents read\n\
                \x20       3  imported\n\
                \x20       2    are over\n\
                \x20       1    are due now: dialled as soon as a server runs\n\
                \x20       1  were there already and stay as they are\n\
                \x20       1  broken, not imported (told above, with their lines)";
    assert_eq!(report.words(false), told);
    assert!(Report::default().words(false).ends_with("0  imported"));
    assert!(report.words(true).contains("3  to import\n"));
    assert!(report.words(true).ends_with("were not looked for"));
    let json = report.json(true);
    assert_eq!(
        (&json["imported"], &json["over"], &json["dry_run"]),
        (&json!(3), &json!(2), &json!(true))
    );
}
