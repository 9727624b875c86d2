//! Plants known bugs, one at a time, in a copy of the tree, and runs the tests, or the simulated worlds, that must notice. Who
//! tests the tests: a promise whose bug goes unnoticed is not tested. Takes minutes, so it is a command
//! of its own and no part of CI.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// A bug, where it is planted, and the test that must fail for it.
struct Bug {
    name: &'static str,
    file: &'static str,
    find: &'static str,
    put: &'static str,
    package: &'static str,
    /// The name of a test; of the package [`WORLD`], the invariant that breaks.
    test: &'static str,
}

/// Where the simulated world is: bugs that can only be planted inside the product's code, and that it must notice.
const WORLD: &str = "world";
/// In so many worlds it must.
const SEEDS: &str = "3000";

/// The mistakes that a dialler makes, each in the words of the code that avoids it.
const BUGS: &[Bug] = &[
    Bug {
        name: "a callback is answered before it is stored",
        file: "crates/engine/src/callbacks.rs",
        find: "match inner.store.report(stray, inner.at()).await? {",
        put: "let (store, at) = (std::sync::Arc::clone(&inner.store), inner.at());\n\
              tokio::spawn(async move { store.report(stray, at).await });\n\
              match Reported::Orphan {",
        package: "server",
        test: "a_callback_that_cannot_be_stored_is_to_come_again",
    },
    Bug {
        name: "the request leaves before the permit",
        file: "crates/engine/src/dispatcher.rs",
        find: "let asked_at = self.time.boot();\n",
        put: "let asked_at = self.time.boot();\n\
              let early = self.store.call(due.id).await.ok().flatten();\n\
              if let Some(call) = early {\n\
                  let gate = Fresh { time: &self.time, asked_at };\n\
                  let _ = line.place(&self.command(&call, 1), &gate).await;\n\
              }\n\
              let Ok(line) = self.carrier.connect(CONNECT_WITHIN).await else { return };\n",
        package: "engine",
        test: "the_permit_is_committed_before_the_request_leaves",
    },
    Bug {
        name: "a time-out is dialled again",
        file: "crates/engine/src/dispatcher.rs",
        find: "Input::InDoubt { attempt, why }",
        put: "Input::NotSent { attempt, permit_at, reason: HoldReason::Carrier, message: why, retry_after: None }",
        package: "engine",
        test: "an_attempt_in_doubt_is_never_sent_again",
    },
    Bug {
        name: "a 5xx is taken as not sent",
        file: "crates/carrier-twilio/src/verdict.rs",
        find: "if status == StatusCode::TOO_MANY_REQUESTS ||",
        put: "if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS ||",
        package: "carrier-twilio",
        test: "every_error_is_judged_by_what_it_proves",
    },
    Bug {
        name: "a 429 is taken as in doubt",
        file: "crates/carrier-twilio/src/verdict.rs",
        find: "if status == StatusCode::TOO_MANY_REQUESTS || code",
        put: "if status == StatusCode::TOO_MANY_REQUESTS {\n\
                  return Placement::InDoubt { why: status.to_string() };\n\
              }\n\
              if code",
        package: "carrier-twilio",
        test: "every_error_is_judged_by_what_it_proves",
    },
    Bug {
        name: "an old permit is used",
        file: "crates/engine/src/dispatcher.rs",
        find: "self.time.boot().saturating_sub(self.asked_at) < PERMIT_FRESH",
        put: "self.time.boot() >= self.asked_at && !PERMIT_FRESH.is_zero()",
        package: "engine",
        test: "a_permit_older_than_two_seconds_is_given_back_unsent",
    },
    Bug {
        name: "the last callback wins",
        file: "crates/domain/src/attempt.rs",
        find: "if self.proof.is_some_and(|known| known >= proof) {",
        put: "if self.proof.is_some_and(|known| known > proof && known < proof) {",
        package: "domain",
        test: "the_same_facts_in_any_order_and_number_end_alike",
    },
    Bug {
        name: "a late 201 is dropped",
        file: "crates/domain/src/step/dial.rs",
        find: "    let index = open_attempt(draft, attempt)?;\n    if let Some(from) = bind",
        put: "    if !matches!(draft.call.state, CallState::Dialling { .. }) {\n\
              return Err(Refusal::AlreadyKnown);\n\
              }\n    let index = open_attempt(draft, attempt)?;\n    if let Some(from) = bind",
        package: "domain",
        test: "any_word_of_the_leg_ends_the_doubt",
    },
    Bug {
        name: "the look-up is filtered by StartTime",
        file: "crates/carrier-twilio/src/rest.rs",
        find: ".append_pair(\"PageSize\", PAGE_SIZE)",
        put: ".append_pair(\"PageSize\", PAGE_SIZE)\n.append_pair(\"StartTime>\", \"2020-01-01\")",
        package: "e2e",
        test: "a_lost_dial_that_still_waits_in_the_carriers_queue_is_found",
    },
    Bug {
        name: "a retry is withdrawn too late after late proof",
        file: "crates/domain/src/step/follow.rs",
        find: "    if call.open_attempt().is_some() {\n",
        put: "    if matches!(call.state, CallState::Waiting { .. }) && call.open_attempt().is_some() {\n\
              return;\n\
              }\n    if call.open_attempt().is_some() {\n",
        package: WORLD,
        test: "one live leg",
    },
    Bug {
        name: "the last callback wins, in the world",
        file: "crates/domain/src/attempt.rs",
        find: "if self.proof.is_some_and(|known| known >= proof) {",
        put: "if self.proof.is_some_and(|known| known > proof && known < proof) {",
        package: WORLD,
        test: "the record is the ledger",
    },
];

/// Plants every bug (or those whose name contains `only`) and reports who was caught.
///
/// # Errors
/// When a bug goes unnoticed, or cannot be planted because the code that avoids it has changed.
pub fn run(root: &Path, only: Option<&str>) -> Result<()> {
    let copy = root.join("target/planted/tree");
    let wanted: Vec<&Bug> = BUGS
        .iter()
        .filter(|bug| only.is_none_or(|part| bug.name.contains(part)))
        .collect();
    ensure!(!wanted.is_empty(), "no bug has that in its name");
    let mut unnoticed = Vec::new();
    for bug in &wanted {
        copy_tree(root, &copy)?;
        ensure!(passes(root, &copy, bug)?, "{} fails without the bug", bug.test);
        plant(&copy, bug)?;
        if passes(root, &copy, bug)? {
            println!("UNNOTICED  {}", bug.name);
            unnoticed.push(bug.name);
        } else {
            println!("caught     {}  (by {} in {})", bug.name, bug.test, bug.package);
        }
    }
    println!("{} of {} caught", wanted.len() - unnoticed.len(), wanted.len());
    if unnoticed.is_empty() {
        Ok(())
    } else {
        bail!("unnoticed: {}", unnoticed.join("; "))
    }
}

/// Copies the files of the tree that git knows of, those not committed yet included.
fn copy_tree(root: &Path, copy: &Path) -> Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(listed.status.success(), "git does not know this tree");
    for file in String::from_utf8(listed.stdout)?.lines() {
        let (from, to) = (root.join(file), copy.join(file));
        let Ok(text) = std::fs::read(&from) else { continue };
        // Only what differs is written, so that cargo builds only that.
        if std::fs::read(&to).ok().as_ref() != Some(&text) {
            std::fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
            std::fs::write(&to, text)?;
        }
    }
    Ok(())
}

fn plant(copy: &Path, bug: &Bug) -> Result<()> {
    let path = copy.join(bug.file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}: {}", bug.name, bug.file))?;
    ensure!(
        text.contains(bug.find),
        "{}: {} does not contain `{}` any more",
        bug.name,
        bug.file,
        bug.find
    );
    std::fs::write(&path, text.replacen(bug.find, bug.put, 1))?;
    Ok(())
}

/// Whether the bug's test passes in the copy. A copy that does not compile is an error.
fn passes(root: &Path, copy: &Path, bug: &Bug) -> Result<bool> {
    let target = root.join("target/planted/build");
    let cargo = |args: &[&str]| {
        let mut command = Command::new("cargo");
        command
            .args(args)
            .current_dir(copy)
            .env("CARGO_TARGET_DIR", &target);
        command.env("REDIAL_BIN", target.join("debug/redial"));
        command
    };
    let mut build = cargo(&["test", "--quiet", "--no-run", "-p", bug.package]);
    let mut binary = cargo(&["build", "--quiet", "-p", "cli", "--bin", "redial"]);
    let needs_binary = bug.package == "e2e";
    for command in std::iter::once(&mut build).chain(needs_binary.then_some(&mut binary)) {
        let built = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(built.success(), "{}: the tree does not compile with it", bug.name);
    }
    if bug.package == WORLD {
        let mut worlds = cargo(&[
            "run",
            "--quiet",
            "--profile",
            "world",
            "-p",
            WORLD,
            "--",
            "--seeds",
            SEEDS,
        ]);
        let ran = worlds.stderr(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&ran.stdout);
        // A world that fails for another reason has not noticed this bug.
        return Ok(ran.status.success() || !said.contains(&format!("`{}`", bug.test)));
    }
    let mut test = cargo(&["test", "--quiet", "-p", bug.package, bug.test]);
    Ok(test
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?
        .success())
}
