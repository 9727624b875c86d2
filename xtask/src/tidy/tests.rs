//! Each rule gets a tree that offends it and one that does not: a rule that never fails is no rule.

use super::lex::split;
use super::tree::Tree;
use super::{allow, check, migrations};

/// A head, so that only the rule under test speaks.
const HEAD: &str = "//! Head.\n";

/// No offence.
const NONE: [&str; 0] = [];

/// The offences of a tree of these files, as `path:line rule`.
fn offences(files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    check(&Tree::new(files))
        .iter()
        .map(|it| format!("{}:{} {}", it.path, it.line, it.rule))
        .collect()
}

/// One Rust file's offences against the rule for banned words and the like.
fn offences_in(path: &str, body: &str) -> Vec<String> {
    let text = format!("{HEAD}{body}\n");
    offences(&[(path, &text)])
}

#[track_caller]
fn refused(path: &str, body: &str, rule: &str) {
    assert_eq!(offences_in(path, body), [format!("{path}:2 {rule}")], "{body}");
}

#[track_caller]
fn accepted(path: &str, body: &str) {
    assert_eq!(offences_in(path, body), NONE, "{body}");
}

#[test]
fn a_file_of_more_than_400_lines_is_too_long_and_a_test_of_more_than_600() {
    let lines = |count: usize| format!("{HEAD}{}", "\n".repeat(count - 1));
    let (fits, long) = (lines(400), lines(401));
    assert_eq!(offences(&[("crates/domain/src/call.rs", &fits)]), NONE);
    assert_eq!(
        offences(&[("crates/domain/src/call.rs", &long)]),
        ["crates/domain/src/call.rs:0 size"]
    );
    let (fits, long) = (lines(600), lines(601));
    assert_eq!(offences(&[("crates/domain/src/call/tests.rs", &fits)]), NONE);
    assert_eq!(
        offences(&[("crates/domain/tests/it/main.rs", &long)]),
        ["crates/domain/tests/it/main.rs:0 size"]
    );
}

#[test]
fn a_function_of_more_than_70_lines_is_too_long() {
    let function = |lines: usize| format!("fn long(x: [u8; 2]) {{{}}}", "\n".repeat(lines - 1));
    accepted("crates/domain/src/call.rs", &function(70));
    refused("crates/domain/src/call.rs", &function(71), "function");
    let braces = format!(
        "fn strings() {{ let _ = (\"{{\", '{{', r#\"{{\"#); // {{\n}}{}",
        "\n".repeat(80)
    );
    accepted("crates/domain/src/call.rs", &braces);
    accepted(
        "crates/domain/src/call.rs",
        &format!("trait T {{ fn none(&self);{}}}", "\n".repeat(90)),
    );
}

#[test]
fn a_file_opens_by_saying_what_it_holds() {
    assert_eq!(
        offences(&[("crates/domain/src/call.rs", "use x;\n")]),
        ["crates/domain/src/call.rs:1 head"]
    );
}

#[test]
fn empty_words_name_neither_files_nor_types() {
    for path in [
        "crates/domain/src/utils.rs",
        "crates/domain/src/call_info.rs",
        "crates/domain/src/common/call.rs",
    ] {
        assert_eq!(offences_in(path, ""), [format!("{path}:0 name")]);
    }
    accepted("crates/domain/src/database.rs", "");
    refused("crates/domain/src/call.rs", "pub struct CallData;", "name");
    refused("crates/domain/src/call.rs", "trait StoreBase {}", "name");
    refused("crates/domain/src/call.rs", "mod helpers;", "name");
    accepted(
        "crates/domain/src/call.rs",
        "struct Database; type Information = u8; // struct CallData",
    );
}

#[test]
fn the_clock_is_read_in_one_file() {
    for call in [
        "SystemTime::now()",
        "std::time::Instant::now()",
        "Utc::now()",
        "Uuid::now_v7()",
    ] {
        let body = format!("fn f() {{ {call}; }}");
        refused("crates/engine/src/runner.rs", &body, "clock");
        accepted("crates/engine/src/clock.rs", &body);
        accepted("crates/sim/src/http.rs", &body);
        accepted("crates/engine/src/runner/tests.rs", &body);
        accepted("crates/e2e/tests/it/calls.rs", &body);
        accepted(
            "crates/engine/src/runner.rs",
            &format!("#[cfg(test)]\nmod proofs {{ {body} }}"),
        );
    }
    accepted(
        "crates/engine/src/runner.rs",
        "// Instant::now\nfn f() { g(\"Instant::now\"); Instant::nowhere(); }",
    );
}

#[test]
fn code_behind_a_test_module_is_no_test() {
    let body = "#[cfg(test)]\nmod tests;\nfn f() { Instant::now(); }";
    assert_eq!(
        offences_in("crates/engine/src/runner.rs", body),
        ["crates/engine/src/runner.rs:4 clock"]
    );
    let body = "#[cfg(test)]\nmod proofs { }\nfn f() { Instant::now(); }";
    assert_eq!(
        offences_in("crates/engine/src/runner.rs", body),
        ["crates/engine/src/runner.rs:4 clock"]
    );
}

#[test]
fn chance_comes_from_the_dice() {
    refused("crates/engine/src/pace.rs", "use rand::Rng;", "chance");
    refused(
        "crates/server/src/page.rs",
        "fn f() { fastrand::u8(..); }",
        "chance",
    );
    refused(
        "crates/engine/src/pace/tests.rs",
        "fn f() { Uuid::new_v4(); }",
        "chance",
    );
    accepted("crates/engine/src/dice.rs", "use rand::Rng;");
    accepted("crates/engine/src/pace.rs", "fn f() { operand::strand(); }");
}

#[test]
fn frameworks_and_drivers_stay_at_home() {
    refused("crates/engine/src/intake.rs", "use axum::Router;", "axum");
    accepted("crates/server/src/router.rs", "use axum::Router;");
    refused("crates/cli/src/backup.rs", "use rusqlite::Connection;", "driver");
    accepted("crates/store-sqlite/src/lib.rs", "use rusqlite::Connection;");
    refused(
        "crates/store-sqlite/src/lib.rs",
        "use tokio_postgres::Client;",
        "driver",
    );
}

#[test]
fn the_vendor_is_named_only_where_it_is_spoken_to() {
    let body = "// As Twilio says.";
    refused("crates/engine/src/intake.rs", body, "vendor");
    refused(
        "crates/testkit/src/given.rs",
        "const X: &str = \"TWILIO_SID\";",
        "vendor",
    );
    for home in ["carrier-twilio", "sim", "cli", "server", "e2e"] {
        accepted(&format!("crates/{home}/src/lib.rs"), body);
    }
    accepted(
        "crates/testkit/src/lib.rs",
        "use carrier_twilio::Client; // of carrier-twilio",
    );
    assert_eq!(offences(&[("docs/carriers.md", "Twilio")]), NONE);
}

#[test]
fn sql_reads_no_clock_and_throws_no_dice() {
    refused(
        "crates/store-sqlite/src/calls.rs",
        "const Q: &str = \"SELECT NOW()\";",
        "sql-clock",
    );
    refused(
        "crates/store-sqlite/src/calls.rs",
        "const Q: &str = r#\"... current_timestamp\"#;",
        "sql-clock",
    );
    refused(
        "crates/store-sqlite/src/calls.rs",
        "const Q: &str = \"ORDER BY random()\";",
        "sql-chance",
    );
    accepted(
        "crates/store-sqlite/src/calls.rs",
        "fn f() { clock.now(); } // now()",
    );
    accepted(
        "crates/store-postgres/src/clock.rs",
        "const Q: &str = \"SELECT clock_timestamp()\";",
    );
    let sql = "-- never now()\nCREATE TABLE t (at INTEGER DEFAULT CURRENT_TIMESTAMP);\n";
    let found = offences(&[("crates/store-sqlite/src/seed.sql", sql)]);
    assert_eq!(found, ["crates/store-sqlite/src/seed.sql:2 sql-clock"]);
}

#[test]
fn tests_neither_sleep_nor_are_ignored() {
    refused(
        "crates/engine/tests/it/main.rs",
        "fn f() { std::thread::sleep(D); }",
        "sleep",
    );
    refused(
        "crates/e2e/src/world.rs",
        "fn f() { tokio::time::sleep(D).await; }",
        "sleep",
    );
    refused(
        "crates/engine/src/runner.rs",
        "#[cfg(test)] mod t { fn f() { thread::sleep(D) } }",
        "sleep",
    );
    accepted(
        "crates/engine/src/runner.rs",
        "fn f() { tokio::time::sleep(D).await; }",
    );
    accepted("crates/e2e/src/wait.rs", "fn f() { thread::sleep(D); }");
    refused(
        "crates/engine/src/runner/tests.rs",
        "#[ignore = \"slow\"]",
        "ignored",
    );
}

#[test]
fn nothing_is_left_open() {
    for word in ["TODO", "FIXME", "XXX"] {
        refused(
            "crates/domain/src/call.rs",
            &format!("// {word}: later"),
            "open-end",
        );
        assert_eq!(offences(&[("docs/api.md", word)]), ["docs/api.md:1 open-end"]);
    }
    accepted("crates/domain/src/call.rs", "// CAXXXXXXXX");
}

#[test]
fn a_crate_depends_only_on_what_it_may_know() {
    let manifest = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}");
    let refused = |name: &str, rest: &str| {
        let path = format!("crates/{name}/Cargo.toml");
        assert_eq!(
            offences(&[(&path, &manifest(name, rest))]),
            [format!("{path}:0 edge")],
            "{name} {rest}"
        );
    };
    let accepted = |name: &str, rest: &str| {
        let path = format!("crates/{name}/Cargo.toml");
        assert_eq!(offences(&[(&path, &manifest(name, rest))]), NONE, "{name} {rest}");
    };
    refused("domain", "[dependencies]\nstore.workspace = true");
    refused("engine", "[dependencies]\nserver = { path = \"../server\" }");
    refused(
        "engine",
        "[target.'cfg(unix)'.dependencies]\nsim.workspace = true",
    );
    refused("engine", "[build-dependencies]\nsim.workspace = true");
    refused(
        "engine",
        "[dependencies]\nhidden = { package = \"sim\", path = \"../sim\" }",
    );
    refused("cli", "[dependencies]\ntestkit.workspace = true");
    refused("engine", "[dependencies]\naxum.workspace = true");
    refused("server", "[dependencies]\nanyhow = \"1\"");
    refused("one-more", "");
    refused("domain", "[dependencies");
    accepted("domain", "[dev-dependencies]\nstore.workspace = true");
    accepted(
        "engine",
        "[dependencies]\ndomain.workspace = true\nstore.workspace = true\ntokio = \"1\"",
    );
    accepted(
        "cli",
        "[dependencies]\nserver.workspace = true\nsim.workspace = true\nanyhow = \"1\"",
    );
    accepted("testkit", "[dependencies]\nserver.workspace = true");
}

#[test]
fn a_recorded_migration_is_neither_edited_nor_deleted() {
    let other_sum = "0".repeat(64);
    let folder = "crates/store-sqlite/migrations";
    let (sql, sums) = (format!("{folder}/0001_calls.sql"), format!("{folder}/SHA256SUMS"));
    let offence = [format!("{sql}:0 migration")];
    assert_eq!(offences(&[(&sql, "SELECT 1;")]), offence, "not recorded");
    assert_eq!(
        offences(&[
            (&sql, "SELECT 1;"),
            (&sums, &format!("{other_sum}  0001_calls.sql\n"))
        ]),
        offence,
        "edited"
    );

    let root = std::env::temp_dir().join(format!("redial-tidy-{}", std::process::id()));
    std::fs::create_dir_all(root.join(folder)).expect("a folder in the temporary folder");
    std::fs::write(root.join(&sql), "SELECT 1;").expect("a new file");
    migrations::record(&root, &Tree::read(&root).expect("readable")).expect("recorded");
    let list = std::fs::read_to_string(root.join(&sums)).expect("written by `record`");
    std::fs::remove_dir_all(&root).expect("our own folder");

    assert_eq!(offences(&[(&sql, "SELECT 1;"), (&sums, &list)]), NONE, "recorded");
    assert_eq!(
        offences(&[(&sql, "SELECT 2;"), (&sums, &list)]),
        offence,
        "edited"
    );
    let other = format!("{folder}/0002_more.sql");
    let gone = offences(&[
        (&other, "SELECT 1;"),
        (
            &sums,
            &format!("{list}{}", list.replace("0001_calls", "0002_more")),
        ),
    ]);
    assert_eq!(gone, offence, "deleted");
}

#[test]
fn both_stores_carry_the_same_migrations() {
    let sqlite = "crates/store-sqlite/migrations/0001_calls.sql";
    let postgres = "crates/store-postgres/migrations/0001_other.sql";
    let found = offences(&[(sqlite, ""), (postgres, "")]);
    assert!(
        found.contains(&"crates/store-postgres/migrations/0001_calls.sql:0 migration".to_owned()),
        "{found:?}"
    );
}

#[test]
fn an_exception_needs_a_reason_a_use_and_a_place_under_the_ceiling() {
    let long = format!("{HEAD}{}", "\n".repeat(500));
    let tree = Tree::new(vec![("crates/domain/src/call.rs".to_owned(), long)]);
    let left = |list: &str, ceiling: usize| {
        allow::apply(check(&tree), list, ceiling)
            .iter()
            .map(|it| format!("{} {}", it.rule, it.path))
            .collect::<Vec<_>>()
    };
    let file = allow::FILE;
    let used = "# why\nsize crates/domain/src/call.rs one table, read as one\n";
    assert_eq!(left(used, 1), NONE);
    assert_eq!(
        left("size crates/domain/src/call.rs\n", 0),
        [
            format!("allow {file}"),
            "size crates/domain/src/call.rs".to_owned()
        ]
    );
    assert_eq!(
        left(used, 0),
        [format!("allow {file}")],
        "one more than the ceiling"
    );
    assert_eq!(
        left(used, 2),
        [format!("allow {file}")],
        "the ceiling follows the list down"
    );
    let stale = format!("{used}size crates/domain/src/gone.rs once long\n");
    assert_eq!(left(&stale, 2), [format!("allow {file}")], "stale");
}

#[test]
fn the_split_of_a_file_keeps_every_place() {
    let text = "let a = \"x \\\" // no\"; // b \"c\"\n/* d /* e */ f */ let g: &'h str = br##\"i\"# j\"##; let k = '\"'; '\\'' l 'ü'";
    let parts = split(text);
    assert_eq!(parts.code.len(), text.len());
    let words: Vec<&str> = parts.code.split_whitespace().collect();
    assert_eq!(words.join(" "), "let a = ; let g: &'h str = b ; let k = ; l");
    let strings: Vec<&str> = parts.strings.split_whitespace().collect();
    assert_eq!(strings.join(" "), "\"x \\\" // no\" r##\"i\"# j\"##");
    for broken in ["\"", "r#\"", "'\\", "/* /*", "'", "b'"] {
        assert_eq!(split(broken).code.len(), broken.len(), "{broken}");
    }
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents = (
        "docs/SUMMARY.md",
        "# Summary\n\n- [One](one.md)\n- [Two](more/two.md)\n",
    );
    let pages = [
        contents,
        ("docs/one.md", "# One\n"),
        ("docs/more/two.md", "# Two\n"),
    ];
    assert_eq!(offences(&pages), NONE);
    let lost = ("docs/three.md", "# Three\n");
    assert_eq!(
        offences(&[pages.as_slice(), &[lost]].concat()),
        ["docs/three.md:0 contents"]
    );
}

#[test]
fn a_link_leads_to_a_file_and_a_heading_that_are_there() {
    let check = |text: &str, wanted: &[&str]| {
        let files = [
            ("README.md", text),
            ("docs/one.md", "# One\n\n## What `it` does\n"),
        ];
        assert_eq!(offences(&files), wanted, "{text}");
    };
    check(
        "[a](docs/one.md) [b](docs/one.md#what-it-does) [c](docs) [d](https://e.test/f)\n",
        &[],
    );
    check("```text\n[a](nowhere.md)\n```\n", &[]);
    check(
        "One,\n[a](docs/one.md), [b](docs/two.md)\n",
        &["README.md:2 link"],
    );
    check("[a](docs/one.md#what)\n", &["README.md:1 link"]);
}

#[test]
fn a_page_of_the_book_does_not_link_out_of_it() {
    let files = [
        ("README.md", "# redial\n"),
        ("docs/one.md", "[a](../README.md)\n"),
    ];
    assert_eq!(offences(&files), ["docs/one.md:1 link"]);
}

#[test]
fn a_test_that_a_page_names_is_there() {
    let files = [
        (
            "README.md",
            "`no_such_thing_is_there` and `that_is_there_to_see`, `a_setting`\n",
        ),
        (
            "crates/a/tests/it/main.rs",
            "//! Tests.\n\n#[test]\nfn that_is_there_to_see() {}\n",
        ),
    ];
    assert_eq!(offences(&files), ["README.md:1 test named"]);
}
