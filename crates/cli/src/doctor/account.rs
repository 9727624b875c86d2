//! Whether the carrier takes the account and its credentials, and what an account on trial may not do.

use carrier::Reply;
use carrier_twilio::{Account, ProbeError, Twilio};

use super::Finding;

/// The first three things to do, for whoever has done nothing yet.
const BEGIN: &str = "1. `redial init` asks for the account and writes redial.toml.\n\
    2. `redial serve` takes calls.\n\
    3. `redial call` asks for one, in the words that `redial init` prints.\n\
    `redial demo` shows all of it without an account, and phones nobody.";

/// Asks the carrier about the account that `carrier` signs in as, with its token.
pub fn ask(runtime: &tokio::runtime::Runtime, carrier: &Twilio) -> Reply<Result<Account, ProbeError>> {
    runtime.block_on(carrier.account_standing())
}

/// What the account's settings lack before the carrier is asked at all.
pub fn missing(sid: Option<&str>, has_token: bool) -> Option<Finding> {
    let what = match (sid, has_token) {
        (None, false) => "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set",
        (None, true) => "TWILIO_ACCOUNT_SID is not set",
        (Some(_), false) => {
            "TWILIO_AUTH_TOKEN is not set; callbacks are verified with it, also where an API key signs in"
        }
        (Some(_), true) => return None,
    };
    Some(Finding::problem("account", what, BEGIN))
}

/// What the carrier's answer about the account means.
pub fn judge(outcome: &Result<Account, ProbeError>, api_base: &str) -> Vec<Finding> {
    let account = match outcome {
        Ok(account) => account,
        Err(error) => return vec![refused(error, api_base)],
    };
    match account.status.as_str() {
        "suspended" => vec![Finding::problem(
            "account",
            "the carrier has suspended it",
            "The carrier's Console says why (funds, terms, an open question). Nothing is dialled until it is active.",
        )],
        "closed" => vec![Finding::problem(
            "account",
            "it is closed for good",
            "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to those of another account.",
        )],
        _ if account.is_trial => vec![Finding::ok("account", "active, and the token is right"), trial()],
        _ => vec![Finding::ok("account", "active, and the token is right")],
    }
}

fn trial() -> Finding {
    Finding::warning(
        "trial",
        "the account is on trial: it calls verified numbers of its own country alone, and a notice may be heard \
         before the message",
        "Verify every number that you call (five at most, else 21219), or upgrade the account.\n\
         Calls end after ten minutes, five are live at once, and a trial lasts thirty days.",
    )
}

fn refused(error: &ProbeError, api_base: &str) -> Finding {
    let says = |what: &str| format!("{what} ({error})");
    match error {
        ProbeError::Unknown(_) => Finding::problem(
            "account",
            says("the carrier does not take the SID with this token"),
            "Copy TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN once more from the carrier's Console: both of one account, \
             live and not test.\n\
             If they are right, the account is suspended, or belongs to a region that TWILIO_API_BASE has to name.",
        ),
        ProbeError::Forbidden(_) => Finding::problem(
            "account",
            says("the carrier knows the account and forbids it the API"),
            "The carrier's Console says why: suspended, closed, or these are test credentials, which cannot dial.",
        ),
        ProbeError::NoSuchAccount(_) => Finding::problem(
            "account",
            says(&format!("there is no such account at {api_base}")),
            "Check TWILIO_ACCOUNT_SID (AC and 32 hex digits), and TWILIO_API_BASE if you set it.",
        ),
        ProbeError::Unanswered(_) => Finding::problem(
            "account",
            says(&format!("the carrier cannot be asked at {api_base}")),
            "Check the way from this machine to the carrier (names, firewall), and TWILIO_API_BASE if you set it.",
        ),
    }
}

/// Whether the API key that dials is taken. The account's token was tried apart.
pub fn judge_key(outcome: &Result<(), ProbeError>) -> Finding {
    match outcome {
        Ok(()) => Finding::ok("api key", "the carrier takes it"),
        Err(error) => Finding::problem(
            "api key",
            format!("the carrier does not take it ({error})"),
            "Check TWILIO_API_KEY (SK and 32 hex digits) and TWILIO_API_SECRET: a key of this account, and if it is a \
             restricted one, allowed all that lies under Calls. Without both, the token signs in.",
        ),
    }
}

/// What cannot be asked where the calls are asked for.
pub fn permissions() -> Finding {
    Finding::skipped(
        "permissions",
        "which countries may be dialled is not asked: the carrier keeps that at another host than TWILIO_API_BASE",
        "Look in its Console, at Voice, Geo permissions: allow the countries that you call and no other, so that a \
         key that leaks cannot phone the expensive ones.",
    )
}
