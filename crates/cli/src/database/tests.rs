//! What an address means, and what of it is shown.

use super::*;

#[test]
fn an_address_is_a_file_or_a_server() {
    let file = Database::read("sqlite:redial.db").expect("a file");
    assert_eq!(file.file("").expect("a file"), Path::new("redial.db"));
    let server = Database::read("postgresql://ann:hush@db/calls").expect("a server");
    let refused = server.file("use pg_dump").expect_err("no file").to_string();
    assert!(
        refused.contains("use pg_dump") && !refused.contains("hush"),
        "{refused}"
    );
}

#[test]
fn a_password_is_never_shown() {
    for (url, shown) in [
        ("sqlite:redial.db", "sqlite:redial.db"),
        ("postgres://db/calls", "postgres://db/calls"),
        ("postgres://ann@db:5433/calls", "postgres://ann@db:5433/calls"),
        ("postgres://ann:hush@db/calls", "postgres://ann:***@db/calls"),
        (
            "postgres://ann:hu@sh@db/calls?a=b",
            "postgres://ann:***@db/calls?a=b",
        ),
        ("mysql://ann:hush@db", "mysql://ann:***@db"),
        (
            "postgres://db/calls?user=ann&password=hush&a=b",
            "postgres://db/calls?user=ann&password=***&a=b",
        ),
    ] {
        assert_eq!(masked(url), shown);
    }
}
