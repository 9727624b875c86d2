//! Whether the database can be read, by whom it is held, and with `--deep` whether it is whole.

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
