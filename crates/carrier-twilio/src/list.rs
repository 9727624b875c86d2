//! Lists of calls, read page by page: those between two numbers, and those of the whole account. A list
//! that cannot be read to its end proves nothing and is an error. Called by the carrier's questions.

use std::time::Duration;

use carrier::AskError;
use domain::{Leg, Listed, Phone, Timestamp};

use crate::rest::Rest;
use crate::{no_account, succeeded, wire};

/// Longest list between two numbers, in pages of 200: a pair of numbers that was called more often than ten
/// thousand times while Twilio still remembers is a loop somewhere, and is not searched but reported.
pub(crate) const MOST_PAGES: usize = 50;

/// Longest list of an account, in pages of 200: a million calls, eleven days at one a second.
const MOST_PAGES_OF_ALL: usize = 5_000;

/// The list of an account comes newest first, as far as anybody has seen; it is read on until a whole page is
/// older by this than what is asked for.
const BEYOND: Duration = Duration::from_secs(3_600);

/// Reads the list between two numbers, and the carrier's clock with it.
pub(crate) async fn between(
    rest: &Rest,
    from: &Phone,
    to: &Phone,
    date: &mut Option<Timestamp>,
) -> Result<Vec<Leg>, AskError> {
    let mut legs = Vec::new();
    let mut path = rest.first_page(from, to);
    for _ in 0..MOST_PAGES {
        let page = page(rest, &path, date).await?;
        for call in page.calls.iter().filter(|call| call.may_be_ours()) {
            // A leg that cannot be read might be the one that is looked for: the list then proves nothing.
            legs.push(call.leg().ok_or_else(unreadable)?);
        }
        match page.next_page_uri {
            None => return Ok(legs),
            Some(uri) => path = rest.next_page(&uri).ok_or_else(unreadable)?,
        }
    }
    Err(too_long(MOST_PAGES))
}

/// Reads the list of the account back to `not_before`, and the carrier's clock with it.
pub(crate) async fn since(
    rest: &Rest,
    not_before: Timestamp,
    date: &mut Option<Timestamp>,
) -> Result<Vec<Listed>, AskError> {
    let mut found = Vec::new();
    let mut path = rest.first_page_of_all();
    for _ in 0..MOST_PAGES_OF_ALL {
        let page = page(rest, &path, date).await?;
        for call in page.calls.iter().filter(|call| call.may_be_ours()) {
            // What was not made between two numbers is another program's.
            let Some((from, to)) = call.numbers() else {
                continue;
            };
            let leg = call.leg().ok_or_else(unreadable)?;
            if leg.created_at >= not_before {
                found.push(Listed { from, to, leg });
            }
        }
        let is_old = |call: &wire::Call| call.created_at().is_some_and(|at| at + BEYOND < not_before);
        let all_old = !page.calls.is_empty() && page.calls.iter().all(is_old);
        match page.next_page_uri {
            Some(uri) if !all_old => path = rest.next_page(&uri).ok_or_else(unreadable)?,
            _ => return Ok(found),
        }
    }
    Err(too_long(MOST_PAGES_OF_ALL))
}

async fn page(rest: &Rest, path: &str, date: &mut Option<Timestamp>) -> Result<wire::Page, AskError> {
    let reply = rest.page(path).await;
    *date = reply.date.or(*date);
    let answer = succeeded(reply.outcome?).map_err(no_account)?;
    serde_json::from_slice(answer.body()).map_err(|_| unreadable())
}

fn unreadable() -> AskError {
    AskError::Unanswered("the carrier's list cannot be read".to_owned())
}

fn too_long(pages: usize) -> AskError {
    AskError::Unanswered(format!("the carrier's list has more than {pages} pages"))
}
