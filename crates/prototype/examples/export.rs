//! Writes an export of invented calls to standard output, for measuring an import:
//! `cargo run --release -p prototype --example export -- 1000000 > calls.json`.
//!
//! Three months of calls of fifty thousand users, most of them over, one to three attempts each.

use std::io::{BufWriter, Write};

/// 2026-08-24T10:00:00Z, three months before the last of them.
const BEGIN: u64 = 1_787_565_600_000;
const SPAN: u64 = 90 * 86_400_000;

fn main() -> std::io::Result<()> {
    let count: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000);
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut seed = 1_u64;
    for number in 0..count {
        let begun = BEGIN + SPAN / count * number;
        let attempts = [1, 1, 1, 2, 2, 3][usize::from(throw(&mut seed, 6))];
        let waits = attempts < 3 && throw(&mut seed, 50) == 0;
        let last = if waits {
            "busy"
        } else {
            ["completed", "completed", "no-answer"][usize::from(throw(&mut seed, 3))]
        };
        let (user, to) = (throw(&mut seed, 50_000), throw(&mut seed, 50_000));
        write!(
            out,
            r#"{{"_id":{{"$oid":"{:08x}{number:016x}"}},"user_id":"user-{user}","to":"+1555{to:07}","from":"+15550001111","#,
            begun / 1_000
        )?;
        write!(
            out,
            r#""status":"{last}","attempt_count":{attempts},"max_attempts":3,"attempts":["#
        )?;
        let mut sid = String::new();
        for attempt in 1..=attempts {
            let (status, comma) = if attempt == attempts {
                (last, "")
            } else {
                ("busy", ",")
            };
            sid = format!("CA{:016x}{:016x}", next(&mut seed), next(&mut seed));
            let at = begun + 120_000 * attempt;
            write!(
                out,
                r#"{{"attempt_number":{attempt},"twilio_sid":"{sid}","status":"{status}","timestamp":{{"$date":{{"$numberLong":"{at}"}}}}}}{comma}"#
            )?;
        }
        let retry_at = BEGIN + SPAN + 86_400_000 + begun % 86_400_000;
        let retry_at = if waits {
            format!(r#"{{"$date":{{"$numberLong":"{retry_at}"}}}}"#)
        } else {
            "null".to_owned()
        };
        writeln!(
            out,
            r#"],"twilio_sid":"{sid}","should_retry":{waits},"next_retry_at":{retry_at},"created_at":{{"$date":{{"$numberLong":"{begun}"}}}},"updated_at":{{"$date":{{"$numberLong":"{}"}}}},"__v":0}}"#,
            begun + 400_000
        )?;
    }
    out.flush()
}

/// The next throw of a die with so many sides.
fn throw(seed: &mut u64, sides: u16) -> u16 {
    u16::try_from(next(seed) % u64::from(sides)).expect("less than the sides")
}

/// splitmix64: the same seed, the same calls.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
