//! The vendor's REST API without a socket: a request's parts in, an outcome out. It must not know about HTTP
//! libraries, so that a simulation can call it in the same process. Called for every request to the API.

use crate::account;
use crate::exchange::Exchange;
use crate::notice::{Answer, Outcome};
use crate::page;
use crate::wire::{self, Form, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A request to the API.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// The path alone.
    pub path: &'a str,
    /// What follows the `?`, without it.
    pub query: Option<&'a str>,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// Answers a request at `now_ms`. Faults of the whole carrier come before everything else.
pub fn answer(exchange: &mut Exchange, now_ms: u64, incoming: &Incoming<'_>) -> Outcome {
    let faults = exchange.faults();
    if faults.down {
        return Answer::Cut.into();
    }
    if faults.suspended || !may_ask(exchange, incoming.authorization) {
        return Answer::from(Problem::unauthorized()).into();
    }
    let not_found = || Answer::from(Problem::not_found(incoming.path));
    let prefix = format!(
        "/{}/Accounts/{}",
        wire::API_VERSION,
        exchange.options().account_sid
    );
    let Some(rest) = incoming.path.strip_prefix(&prefix) else {
        return not_found().into();
    };
    if incoming.method == "GET"
        && let Some(answer) = account::get(exchange, rest)
    {
        return answer.into();
    }
    if rest == "/Calls.json" {
        return match incoming.method {
            "POST" => exchange.create(now_ms, &Form::decode(incoming.body)),
            "GET" => page::list(
                exchange,
                &Form::decode(incoming.query.unwrap_or_default().as_bytes()),
            )
            .into(),
            _ => not_allowed(incoming.method).into(),
        };
    }
    match rest
        .strip_prefix("/Calls/")
        .and_then(|name| name.strip_suffix(".json"))
    {
        Some(sid) => match incoming.method {
            "GET" => exchange.fetch(sid).into(),
            "POST" => exchange.update(now_ms, sid, &Form::decode(incoming.body)).into(),
            _ => not_allowed(incoming.method).into(),
        },
        None => not_found().into(),
    }
}

/// Whether the header holds the account and its token.
fn may_ask(exchange: &Exchange, authorization: Option<&str>) -> bool {
    let Some((scheme, given)) = authorization.and_then(|header| header.split_once(' ')) else {
        return false;
    };
    let options = exchange.options();
    let wanted = format!("{}:{}", options.account_sid, options.auth_token);
    scheme.eq_ignore_ascii_case("basic")
        && STANDARD
            .decode(given.trim())
            .is_ok_and(|it| it == wanted.as_bytes())
}

fn not_allowed(method: &str) -> Answer {
    Problem {
        status: 405,
        code: 20_004,
        message: format!("Method {method} not allowed"),
    }
    .into()
}

#[cfg(test)]
mod tests;
