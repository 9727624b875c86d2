//! The list of the whole account, as it is read after a database was put back from a copy.

use super::*;

const ALL: &str = "GET /laml/2010-04-01/Accounts/AC1/Calls.json?PageSize=200";

fn made(name: &str, to: &str, at: &str) -> String {
    format!(
        r#"{{"sid":"{name}","status":"queued","direction":"outbound-api","from":"+15550001111","to":"{to}",
            "date_created":"Sun, 22 Nov 2026 {at} +0000"}}"#
    )
}

async fn since(twilio: &Twilio) -> Result<Vec<String>, AskError> {
    let not_before = "2026-11-22T10:00:05Z".parse().expect("a moment");
    let reply = twilio.made_since(not_before).await;
    let shown = |listed: Listed| format!("{} {}", listed.leg.sid, listed.to.reveal());
    reply.outcome.map(|legs| legs.into_iter().map(shown).collect())
}

fn more() -> String {
    format!("\"{PAGE}\"")
}

#[tokio::test]
async fn the_accounts_list_is_read_until_a_whole_page_is_older() {
    let (twilio, script) = carrier([
        page(&[made("CA1", "+15551230100", "10:00:09")], &more()),
        // One that is younger than those before it: the order is the carrier's.
        page(
            &[
                made("CA2", "+15551230101", "08:00:00"),
                made("CA3", "+15551230102", "10:00:05"),
            ],
            &more(),
        ),
        page(&[made("CA4", "+15551230103", "09:30:00")], &more()),
        page(&[made("CA5", "+15551230104", "09:00:00")], &more()),
    ]);
    let found = since(&twilio).await;
    assert_eq!(
        found,
        Ok(vec!["CA1 +15551230100".to_owned(), "CA3 +15551230102".to_owned()])
    );
    let next = format!("GET {PAGE}");
    assert_eq!(sent(&script), [ALL.to_owned(), next.clone(), next.clone(), next]);
}

#[tokio::test]
async fn what_no_dial_of_ours_can_have_made_is_passed_over() {
    let client = made("CA1", "client:ann", "10:00:09");
    let inbound = made("CA2", "+15551230100", "10:00:09").replace("outbound-api", "inbound");
    let (twilio, _) = carrier([page(&[client, inbound], "null")]);
    assert_eq!(since(&twilio).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_accounts_list_that_cannot_be_read_proves_nothing() {
    let undated = made("CA1", "+15551230100", "10:00:09").replace("date_created", "date");
    for second in [answer(500, ""), Scripted::Cut, page(&[undated], "null")] {
        let (twilio, _) = carrier([page(&[made("CA2", "+15551230100", "10:00:09")], &more()), second]);
        assert!(matches!(since(&twilio).await, Err(AskError::Unanswered(_))));
    }
}
