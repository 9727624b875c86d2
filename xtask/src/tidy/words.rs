//! Calls and words that have one home or none, each with what to write instead.

use super::Finding;
use super::lex::is_word;
use super::tree::{File, Tree};

/// Which part of a file a rule reads.
enum Part {
    Code,
    Sql,
    Text,
}

struct Ban {
    rule: &'static str,
    part: Part,
    needles: &'static [&'static str],
    /// Whether the needle may stand in this file, at this offset.
    home: fn(&File, usize) -> bool,
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        rule: "clock",
        part: Part::Code,
        needles: &[
            "SystemTime::now",
            "Instant::now",
            "Utc::now",
            "Timestamp::now",
            "Zoned::now",
            "now_v7",
            "clock_gettime",
        ],
        home: |file, at| {
            matches!(
                file.path.as_str(),
                "crates/engine/src/clock.rs" | "crates/store-sqlite/src/clock.rs"
            ) || matches!(file.krate(), "sim" | "cli" | "xtask" | "bench" | "torture")
                || file.in_test(at)
        },
        instead: "take `now` as a parameter; the clock is read in crates/engine/src/clock.rs",
    },
    Ban {
        rule: "chance",
        part: Part::Code,
        needles: &["rand::", "fastrand", "getrandom", "new_v4"],
        home: |file, _| file.path == "crates/engine/src/dice.rs" || matches!(file.krate(), "sim" | "xtask"),
        instead: "take `dice` as a parameter; chance comes from crates/engine/src/dice.rs",
    },
    Ban {
        rule: "axum",
        part: Part::Code,
        needles: &["axum"],
        home: |file, _| matches!(file.krate(), "server" | "sim" | "bench"),
        instead: "HTTP is served by the crates server and sim; call what they export",
    },
    Ban {
        rule: "driver",
        part: Part::Code,
        needles: &["rusqlite"],
        home: |file, _| file.krate() == "store-sqlite",
        instead: "the database is reached through `store::Store`",
    },
    Ban {
        rule: "driver",
        part: Part::Code,
        needles: &["tokio_postgres", "deadpool_postgres"],
        home: |file, _| file.krate() == "store-postgres",
        instead: "the database is reached through `store::Store`",
    },
    Ban {
        rule: "sql-clock",
        part: Part::Sql,
        needles: &[
            "now()",
            "current_timestamp",
            "current_time",
            "current_date",
            "strftime(",
        ],
        home: |_, _| false,
        instead: "pass the time as a parameter of the statement",
    },
    Ban {
        rule: "sql-chance",
        part: Part::Sql,
        needles: &["random()", "randomblob(", "gen_random_uuid("],
        home: |_, _| false,
        instead: "pass the value as a parameter of the statement",
    },
    Ban {
        rule: "sleep",
        part: Part::Code,
        needles: &["thread::sleep", "time::sleep", "sleep_until"],
        home: |file, at| file.path == "crates/e2e/src/wait.rs" || !file.in_test(at),
        instead: "wait for a state, bounded (crates/e2e/src/wait.rs), or move a manual clock",
    },
    Ban {
        rule: "ignored",
        part: Part::Code,
        needles: &["#[ignore"],
        home: |_, _| false,
        instead: "mend the test or delete it",
    },
    Ban {
        rule: "open-end",
        part: Part::Text,
        needles: &["TODO", "FIXME", "XXX"],
        home: |_, _| false,
        instead: "finish it, or open an issue",
    },
];

/// Folders of crates that may name the vendor: they speak its protocol, choose it, play it, or read what was
/// written by others who did.
const VENDOR_HOMES: &[&str] = &[
    "carrier-twilio",
    "sim",
    "cli",
    "server",
    "prototype",
    "e2e",
    "bench",
    "hostile",
    "world",
    "torture",
];

/// Every banned call or word outside its home.
pub fn banned(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.all().filter(|it| !is_rulebook(it)) {
        for ban in BANS {
            look(file, ban, &mut found);
        }
    }
    found
}

/// Every place where code outside its homes names the vendor, in whatever case. Our own crate's name is no vendor.
pub fn vendor(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let ours = tree
        .all()
        .filter(|it| it.path.starts_with("crates/") && !VENDOR_HOMES.contains(&it.krate()));
    for file in ours {
        let text = file.text.to_ascii_lowercase();
        for (at, word) in text.match_indices("twilio") {
            if text[..at].ends_with("carrier-") || text[..at].ends_with("carrier_") {
                continue;
            }
            let advice = format!("`{word}`: say carrier; the vendor is known in {VENDOR_HOMES:?} only");
            found.push(Finding::new("vendor", &file.path, file.line(at), advice));
        }
    }
    found
}

fn look(file: &File, ban: &Ban, found: &mut Vec<Finding>) {
    let lowered;
    let text = match ban.part {
        Part::Code => &file.code,
        Part::Text => &file.text,
        Part::Sql => {
            lowered = sql(file);
            &lowered
        }
    };
    for needle in ban.needles {
        for (at, _) in text.match_indices(needle) {
            if stands_alone(text, at, needle) && !(ban.home)(file, at) {
                let advice = format!("`{needle}`: {}", ban.instead);
                found.push(Finding::new(ban.rule, &file.path, file.line(at), advice));
            }
        }
    }
}

/// The SQL of a file in small letters: a migration without its comments, or a Rust file's string literals.
fn sql(file: &File) -> String {
    if !file.path.ends_with(".sql") {
        return file.strings.to_ascii_lowercase();
    }
    let mut text = String::with_capacity(file.text.len());
    for line in file.text.split_inclusive('\n') {
        let code = line.find("--").map_or(line, |it| &line[..it]);
        text.push_str(&code.to_ascii_lowercase());
        // As many bytes as in the file, so that offsets stay true.
        text.extend(
            line[code.len()..]
                .bytes()
                .map(|it| if it == b'\n' { '\n' } else { ' ' }),
        );
    }
    text
}

/// Whether the needle is a word of its own: `Instant::now` is not found in `InstantNow` or `Instant::nowhere`.
fn stands_alone(text: &str, at: usize, needle: &str) -> bool {
    let bytes = text.as_bytes();
    let needle_bytes = needle.as_bytes();
    let end = at + needle.len();
    let open = !is_word(needle_bytes[0]) || at == 0 || !is_word(bytes[at - 1]);
    let shut = !is_word(needle_bytes[needle.len() - 1]) || bytes.get(end).is_none_or(|it| !is_word(*it));
    open && shut
}

/// The files that must name what they ban.
fn is_rulebook(file: &File) -> bool {
    file.path.starts_with("xtask/src/tidy")
}
