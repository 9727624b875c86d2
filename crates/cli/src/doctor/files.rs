//! Where the settings come from, who can read them, and whether the keys that they name are enough.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Finding;
use crate::config::Config;
use crate::settings::{SETTINGS, Settings, Source};

/// Settings that cannot be understood: nothing else can be looked at.
pub fn unreadable(error: &anyhow::Error) -> Finding {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    Finding::problem(
        "settings",
        causes.join(": "),
        "Mend it and run `redial doctor` again: everything else depends on it and was not looked at.",
    )
}

/// How many settings come from where, and whether others can read the secrets among them.
pub fn sources(settings: &Settings) -> Vec<Finding> {
    let count =
        |is: &dyn Fn(&Source) -> bool| SETTINGS.iter().filter(|it| is(settings.source(it.key))).count();
    let file = SETTINGS.iter().find_map(|it| match settings.source(it.key) {
        Source::File(path) => Some(path),
        _ => None,
    });
    let mut parts = Vec::new();
    if let Some(path) = file {
        let from_file = count(&|source| matches!(source, Source::File(_)));
        parts.push(format!("{from_file} from {}", path.display()));
    }
    for (source, name) in [(Source::Environment, "the environment"), (Source::Flag, "flags")] {
        let number = count(&|it| *it == source);
        if number > 0 {
            parts.push(format!("{number} from {name}"));
        }
    }
    let says = if parts.is_empty() {
        "none is set, all have their defaults".to_owned()
    } else {
        format!("{}, the others have their defaults", parts.join(", "))
    };
    let mut found = vec![Finding::ok("settings", says)];
    let has_secrets = SETTINGS
        .iter()
        .any(|it| it.secret && matches!(settings.source(it.key), Source::File(_)));
    found.extend(file.filter(|_| has_secrets).and_then(|path| exposed(path)));
    found
}

/// Whether others on this machine can read the file.
fn exposed(path: &Path) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        Finding::warning(
            "settings",
            format!(
                "others on this machine may read the secrets in {}",
                path.display()
            ),
            format!("chmod 600 {}", path.display()),
        )
    })
}

/// Whether the server that these settings make is one that strangers could use.
pub fn keys(config: &Config, base_url: &str) -> Finding {
    match (
        config.api_keys.len(),
        server::keyless_is_safe(config.listen, base_url),
    ) {
        (0, Ok(())) => Finding::ok(
            "keys",
            "none, and none is needed: only this machine reaches the server",
        ),
        (0, Err(why)) => Finding::problem(
            "keys",
            why,
            "`redial init` makes a key; any text of 32 letters that nobody can guess will do.",
        ),
        (1, _) => Finding::ok("keys", "programs must show a key"),
        (number, _) => Finding::ok("keys", format!("programs must show one of {number} keys")),
    }
}
