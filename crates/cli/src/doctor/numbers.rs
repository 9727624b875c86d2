//! Which numbers calls may come from.

use carrier_twilio::{Caller, Numbers, ProbeError};
use domain::Phone;

use super::Finding;

/// Numbers that are named; an account with more has a list of its own.
const MOST_NAMED: usize = 20;

/// What the account's numbers mean for `from`.
pub fn judge(outcome: &Result<Numbers, ProbeError>) -> Finding {
    let numbers = match outcome {
        Ok(numbers) => numbers,
        Err(error) => {
            return Finding::warning(
                "numbers",
                format!("the account's numbers cannot be listed ({error})"),
                "`from` must be a number of the account that can speak, or one that it has verified.",
            );
        }
    };
    let usable: Vec<String> = numbers.callers.iter().filter_map(named).collect();
    let mute: Vec<&str> = numbers
        .callers
        .iter()
        .filter_map(|caller| match caller {
            Caller::Mute(number) => Some(number.reveal()),
            _ => None,
        })
        .collect();
    if usable.is_empty() {
        let mute = match mute.as_slice() {
            [] => String::new(),
            mute => format!(" ({} cannot speak)", listed(mute, false)),
        };
        return Finding::warning(
            "numbers",
            format!("calls can come from no number of the account{mute}"),
            "Rent one with voice in the carrier's Console, or verify one that is yours: `from` must be such a number, \
             else 21210.",
        );
    }
    let mut says = format!("`from` may be {}", listed(&usable, numbers.is_cut));
    if !mute.is_empty() {
        says.push_str(&format!("; not {}, which cannot speak", listed(&mute, false)));
    }
    Finding::ok("numbers", says)
}

/// The first number that a call may come from, and the first that is verified: on trial, the only ones reached.
pub fn first(numbers: &Numbers) -> (Option<&Phone>, Option<&Phone>) {
    let verified = numbers.callers.iter().find_map(|caller| match caller {
        Caller::Verified(number) => Some(number),
        _ => None,
    });
    (numbers.callers.iter().find_map(Caller::usable), verified)
}

fn named(caller: &Caller) -> Option<String> {
    match caller {
        Caller::Rented(number) => Some(number.reveal().to_owned()),
        Caller::Verified(number) => Some(format!("{} (verified)", number.reveal())),
        Caller::Mute(_) => None,
    }
}

fn listed(numbers: &[impl AsRef<str>], is_cut: bool) -> String {
    let shown: Vec<&str> = numbers.iter().take(MOST_NAMED).map(AsRef::as_ref).collect();
    let more = if is_cut || numbers.len() > MOST_NAMED {
        " and others"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}
