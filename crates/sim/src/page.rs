//! The list of calls, newest first, by pages. It must not change anything. Called when the list is asked
//! for.

use crate::call::{Call, Sid, Status};
use crate::exchange::Exchange;
use crate::notice::Answer;
use crate::order::INVALID_PARAMETER;
use crate::wire::{self, Form, Problem, Resource};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Calls on a page unless the query says otherwise, and the most it may say.
const PAGE_SIZE: (usize, usize) = (50, 1_000);
/// A day in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// The statuses a query may name: a resource is never `initiated`.
const STATUSES: [Status; 8] = [
    Status::Queued,
    Status::Ringing,
    Status::InProgress,
    Status::Completed,
    Status::Busy,
    Status::NoAnswer,
    Status::Failed,
    Status::Canceled,
];

#[derive(Serialize)]
struct Page<'a> {
    calls: Vec<Resource<'a>>,
    end: usize,
    first_page_uri: String,
    next_page_uri: Option<String>,
    page: usize,
    page_size: usize,
    previous_page_uri: Option<String>,
    start: usize,
    uri: String,
}

/// From which call on a page is wanted.
enum From {
    /// From the newest, leaving out so many pages.
    Page(usize),
    /// From the first call older than this one.
    After(usize),
    /// Up to the last call newer than this one.
    Before(usize),
}

/// One page of the calls that `query` asks for.
pub fn list(exchange: &Exchange, query: &Form) -> Answer {
    match page(exchange, query) {
        Ok(page) => Answer::Reply {
            status: 200,
            body: wire::json(&page),
        },
        Err(problem) => problem.into(),
    }
}

fn page<'a>(exchange: &'a Exchange, query: &Form) -> Result<Page<'a>, Problem> {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("PageSize").filter(|size| *size > 0).unwrap_or(PAGE_SIZE.0);
    if size > PAGE_SIZE.1 {
        return Err(Problem::bad(
            20_007,
            format!("Page size must not be greater than {}", PAGE_SIZE.1),
        ));
    }
    let page = number("Page").unwrap_or(0);
    let from = from(exchange, query, page)?;
    let filter = Filter::read(query)?;
    let calls = exchange.calls();
    let matching = |place: &usize| filter.admits(&calls[*place]);
    // Places in the ledger grow with time: the newest call is the last.
    let places: Box<dyn DoubleEndedIterator<Item = usize>> = match query.get("To") {
        Some(to) => Box::new(exchange.calls_to(to).iter().copied()),
        None => Box::new(0..calls.len()),
    };
    let (mut found, more): (Vec<usize>, bool) = match from {
        From::Page(pages) => taken(
            places.rev().filter(matching).skip(pages.saturating_mul(size)),
            size,
        ),
        From::After(last) => taken(places.rev().filter(|place| *place < last).filter(matching), size),
        From::Before(first) => {
            let (mut found, _) = taken(places.filter(|place| *place > first).filter(matching), size);
            found.reverse();
            (found, true)
        }
    };
    found.truncate(size);
    let account_sid = &exchange.options().account_sid;
    let uri = |page: usize, token: Option<String>| address(account_sid, query, page, size, token);
    let token =
        |prefix: &str, place: Option<&usize>| place.map(|place| format!("{prefix}{}", calls[*place].sid));
    let start = page.saturating_mul(size);
    Ok(Page {
        end: (start + found.len()).saturating_sub(1).max(start),
        first_page_uri: uri(0, None),
        next_page_uri: more.then(|| uri(page + 1, token("PA", found.last()))),
        page,
        page_size: size,
        previous_page_uri: (page > 0).then(|| uri(page - 1, token("PB", found.first()))),
        start,
        uri: uri(page, query.get("PageToken").map(str::to_owned)),
        calls: found
            .iter()
            .map(|place| Resource::of(account_sid, &calls[*place]))
            .collect(),
    })
}

/// The first `size` places and whether there are more.
fn taken(places: impl Iterator<Item = usize>, size: usize) -> (Vec<usize>, bool) {
    let found: Vec<usize> = places.take(size + 1).collect();
    let more = found.len() > size;
    (found.into_iter().take(size).collect(), more)
}

fn from(exchange: &Exchange, query: &Form, page: usize) -> Result<From, Problem> {
    let Some(token) = query.get("PageToken") else {
        return Ok(From::Page(page));
    };
    let place = token
        .get(2..)
        .and_then(Sid::parse)
        .and_then(|sid| exchange.place_of(sid));
    match (token.get(..2), place) {
        (Some("PA"), Some(place)) => Ok(From::After(place)),
        (Some("PB"), Some(place)) => Ok(From::Before(place)),
        _ => Err(Problem::bad(INVALID_PARAMETER, "Invalid PageToken")),
    }
}

/// The address of a page of the same list.
fn address(account_sid: &str, query: &Form, page: usize, size: usize, token: Option<String>) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (key, value) in query
        .pairs()
        .filter(|(key, _)| !matches!(*key, "Page" | "PageSize" | "PageToken"))
    {
        pairs.append_pair(key, value);
    }
    pairs
        .append_pair("PageSize", &size.to_string())
        .append_pair("Page", &page.to_string());
    if let Some(token) = token {
        pairs.append_pair("PageToken", &token);
    }
    format!(
        "/{}/Accounts/{account_sid}/Calls.json?{}",
        wire::API_VERSION,
        pairs.finish()
    )
}

/// What a query lets through, `To` apart, for which there is an index.
struct Filter {
    from: Option<String>,
    status: Option<Status>,
    /// No call has a parent here, so naming one finds nothing.
    nothing: bool,
    start: Span,
    end: Span,
}

impl Filter {
    fn read(query: &Form) -> Result<Self, Problem> {
        let status = match query.get("Status") {
            None => None,
            Some(word) => {
                let known = STATUSES.into_iter().find(|status| status.resource_word() == word);
                Some(
                    known
                        .ok_or_else(|| Problem::bad(INVALID_PARAMETER, format!("Invalid Status: {word}")))?,
                )
            }
        };
        Ok(Self {
            from: query.get("From").map(str::to_owned),
            status,
            nothing: query.get("ParentCallSid").is_some(),
            start: Span::read(query, "StartTime")?,
            end: Span::read(query, "EndTime")?,
        })
    }

    fn admits(&self, call: &Call) -> bool {
        let same_status = |status: Status| status.resource_word() == call.status.resource_word();
        let ended_ms = call.ended_ms.filter(|_| call.status == Status::Completed);
        !self.nothing
            && self.from.as_deref().is_none_or(|from| from == &*call.from)
            && self.status.is_none_or(same_status)
            && self.start.admits(call.dialled_ms)
            && self.end.admits(ended_ms)
    }
}

/// A span of time, from its first millisecond up to, not including, its last. A call without the time in
/// question, such as a queued one without a start, is in no span but the unlimited one.
struct Span(Option<(u64, u64)>);

impl Span {
    /// `Name` is that day, `Name<` before it, `Name>` from it on; together they must all hold.
    fn read(query: &Form, name: &str) -> Result<Self, Problem> {
        let (mut low, mut high, mut limited) = (0, u64::MAX, false);
        for (key, value) in query.pairs().filter(|(_, value)| !value.is_empty()) {
            let Some(sign) = key.strip_prefix(name) else {
                continue;
            };
            let moment_ms = moment(value)
                .ok_or_else(|| Problem::bad(INVALID_PARAMETER, format!("Invalid {key}: {value}")))?;
            match sign {
                "" => {
                    let day = moment_ms - moment_ms % DAY_MS;
                    (low, high) = (low.max(day), high.min(day + DAY_MS));
                }
                "<" => high = high.min(moment_ms),
                ">" => low = low.max(moment_ms),
                _ => continue,
            }
            limited = true;
        }
        Ok(Self(limited.then_some((low, high))))
    }

    fn admits(&self, time_ms: Option<u64>) -> bool {
        match (self.0, time_ms) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((low, high)), Some(time_ms)) => (low..high).contains(&time_ms),
        }
    }
}

/// `2026-01-02`, or with a time of day as the vendor's libraries send it.
fn moment(text: &str) -> Option<u64> {
    let timestamp = match text.parse::<Timestamp>() {
        Ok(timestamp) => timestamp,
        Err(_) => text
            .parse::<Date>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp(),
    };
    u64::try_from(timestamp.as_millisecond()).ok()
}

#[cfg(test)]
mod tests;
