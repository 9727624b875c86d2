//! Whether the database can be read, by whom it is held, and with `--deep` whether a file is whole.

use std::path::Path;

use store::StoreError;
use store_sqlite::Examination;

use super::Finding;

/// Looks at the database and says what that means. `deep` reads all of it.
pub fn check(path: &Path, deep: bool) -> Finding {
    judge(path, store_sqlite::examine(path, deep), deep)
}

/// What a look at the database means.
pub fn judge(path: &Path, found: Result<Option<Examination>, StoreError>, deep: bool) -> Finding {
    let path = path.display();
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            return Finding::ok(
                "database",
                format!("{path} is not there yet; the server makes it"),
            );
        }
        Err(error) => {
            return Finding::problem(
                "database",
                format!("{path}: {error}"),
                "Set DATABASE_URL to the file that redial wrote, or put a backup in its place.",
            );
        }
    };
    if !found.faults.is_empty() {
        return Finding::problem(
            "database",
            format!("{path} is damaged: {}", found.faults.join("; ")),
            "Stop the server, keep the file, put the last backup in its place, and look at the disk.",
        );
    }
    let mut says = path.to_string();
    says.push_str(if deep { " is whole" } else { " can be read" });
    if !found.is_current {
        says.push_str("; its schema is older, and the next start brings it up to date");
    }
    match found.held_by {
        Some(holder) => says.push_str(&format!("; {holder}")),
        None => says.push_str("; nobody dials from it now"),
    }
    Finding::ok("database", says)
}

/// What a look at a database on a server means. `url` is without its password.
pub fn judge_server(url: &str, found: Result<store_postgres::Examination, StoreError>) -> Finding {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let mut says = format!("{url}: {error}");
            let cause = std::error::Error::source(&error).and_then(std::error::Error::source);
            if let Some(cause) = cause {
                says.push_str(&format!(" ({cause})"));
            }
            let remedy = "Set DATABASE_URL to a database that is redial's own, on a PostgreSQL server that takes \
                          writes; `psql` with the same address says more.";
            return Finding::problem("database", says, remedy);
        }
    };
    let mut says = format!("{url} can be read");
    if !found.is_current {
        says.push_str("; the next start brings its schema up to date");
    }
    match &found.dialled_by[..] {
        [] => says.push_str("; nobody dials from it now"),
        [one] => says.push_str(&format!("; {one} dials from it")),
        all => says.push_str(&format!("; {} dial from it: {}", all.len(), all.join(", "))),
    }
    Finding::ok("database", says)
}
