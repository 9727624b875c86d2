//! Lists of calls: the question from a query, and a page to JSON.

use domain::{CallId, CallStatus, Phone, Timestamp, UserId};
use engine::{ListQuery, ListRow, Page};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shown;
use super::schema::{CallName, CallWord, Phone as PhoneText};
use crate::error::ApiError;
use crate::extract::Query;
use crate::page;

/// Calls on a page, unless asked otherwise.
pub(crate) const LIMIT: usize = 50;
/// Most calls on a page: some 100 kB of JSON.
pub(crate) const MOST: usize = 500;

/// Reads which calls are wanted, and what its sender should know.
///
/// # Errors
/// `InvalidField`.
pub(crate) fn read(user: UserId, mut query: Query) -> Result<(ListQuery, Vec<String>), ApiError> {
    let whole = |text: &str| text.parse::<usize>().ok();
    let moment = "a moment in ISO 8601 with its zone, such as 2026-11-22T10:00:00Z";
    let limit = query.take("limit", "a whole number from 1 to 500", |text| {
        whole(text).filter(|limit| (1..=MOST).contains(limit))
    })?;
    let offset = query.take("offset", "a whole number from 0 to 4294967295", |text| {
        whole(text).filter(|offset| u32::try_from(*offset).is_ok())
    })?;
    let wanted = ListQuery {
        user,
        status: query.take("status", &statuses(), CallStatus::from_word)?,
        to: query.take(
            "to",
            "a number such as +15551230100 (%2B15551230100 in a query)",
            number,
        )?,
        created_after: query.take("created_after", moment, |text| text.parse().ok())?,
        created_before: query.take("created_before", moment, |text| text.parse().ok())?,
        limit: limit.unwrap_or(LIMIT),
        offset: offset.unwrap_or(0),
        after: query.take(
            "cursor",
            "the next_cursor of another page of this list",
            page::read,
        )?,
    };
    let warnings = query
        .unknown()
        .map(|name| format!("{name}: no such parameter; it was ignored"));
    Ok((wanted, warnings.collect()))
}

/// A number whose `+` may have been left as it is: in a query, that is a space.
fn number(text: &str) -> Option<Phone> {
    match text.strip_prefix(' ') {
        Some(digits) => format!("+{digits}").parse().ok(),
        None => text.parse().ok(),
    }
}

fn statuses() -> String {
    format!("one of {}", CallStatus::ALL.map(CallStatus::word).join(", "))
}

/// A page of a user's calls.
#[derive(Serialize, ToSchema)]
#[schema(as = Page)]
pub(crate) struct PageShape<'a> {
    user_id: &'a str,
    /// How many calls match, on all pages.
    total: u64,
    /// Present, and true, where counting stopped and there may be more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    total_is_at_least: bool,
    limit: usize,
    offset: usize,
    calls: Vec<RowShape<'a>>,
    /// Where the next page begins; null after the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Parameters that do not exist, so that a typo is not silent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<String>,
}

/// A call in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = Row)]
struct RowShape<'a> {
    #[schema(value_type = CallName)]
    call_id: Shown<CallId>,
    #[schema(value_type = PhoneText)]
    to: &'a str,
    #[schema(value_type = CallWord)]
    status: &'static str,
    attempt_count: u32,
    should_retry: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Shown<Timestamp>,
}

impl<'a> PageShape<'a> {
    pub(crate) fn new(query: &'a ListQuery, page: &'a Page, warnings: Vec<String>) -> PageShape<'a> {
        PageShape {
            user_id: query.user.as_str(),
            total: page.total.count,
            total_is_at_least: page.total.at_least,
            limit: query.limit,
            offset: query.offset,
            calls: page.calls.iter().map(RowShape::new).collect(),
            next_cursor: page.next.as_ref().map(page::write),
            warnings,
        }
    }
}

impl<'a> RowShape<'a> {
    fn new(row: &'a ListRow) -> RowShape<'a> {
        RowShape {
            call_id: Shown(row.id),
            to: row.to.reveal(),
            status: row.status.word(),
            attempt_count: row.attempt_count,
            should_retry: row.should_retry,
            created_at: Shown(row.created_at),
        }
    }
}
