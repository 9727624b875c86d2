//! The published document, held against the world: a linter reads it, a generator makes a client of it that makes a
//! call, the Postman collection is run, and a prober sends what it allows and forbids: all to the real server, whose carrier
//! is the simulator on this machine.
//!
//! Knows the binary and the document only. The tools are other people's, at fixed versions; see `tools.rs`.

pub mod parties;
mod tools;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use self::parties::Parties;
use self::tools::Tools;

/// Makes a run repeatable; any number would do.
const SEED: &str = "20261122";
/// Requests for each operation and kind of test: all of them take about a minute. Counted and not timed, so that a slow
/// machine asks the same as a fast one.
const EXAMPLES: &str = "25";

/// The collection and what it needs to know, for people to import.
const COLLECTION: &str = "docs/postman/redial.postman_collection.json";
const ENVIRONMENT: &str = "docs/postman/redial.postman_environment.json";
/// Milliseconds for the whole collection, which takes a quarter of that where nothing else runs.
const TOUR_WITHIN: &str = "90000";
/// Milliseconds for one request of it: the server holds an answer back for five seconds at most.
const REQUEST_WITHIN: &str = "10000";

/// Runs the four checks with the binary at `redial`.
///
/// # Errors
/// What a check found, or a tool that cannot be installed. A machine without Node or Python is told so, and passes.
pub fn run(root: &Path, redial: &Path) -> Result<()> {
    let Some(tools) = Tools::install(&root.join("xtask/api"))? else {
        return Ok(());
    };
    let parties = Parties::start(redial)?;
    let newest = parties.save("/openapi.json", "openapi.json")?;
    let older = parties.save("/openapi.json?version=3.0", "openapi-3.0.json")?;
    for document in [&newest, &older] {
        let mut lint = tools.spectral();
        lint.args(["lint", "--quiet=false", "--fail-severity", "hint", "--ruleset"]);
        check(
            "lint",
            lint.arg(root.join("xtask/api/spectral.yaml")).arg(document),
        )?;
    }
    generated_client(root, &tools, &parties, &older)?;
    // Before the probe, which pauses dialling.
    tour(root, &tools, &parties)?;
    probe(root, &tools, &parties, &newest)
}

/// Generates a client and has it make a call.
fn generated_client(root: &Path, tools: &Tools, parties: &Parties, document: &Path) -> Result<()> {
    let folder = parties.folder();
    let mut generate = tools.python("openapi-python-client");
    generate.args(["generate", "--meta", "none", "--overwrite", "--fail-on-warning"]);
    generate.arg("--config").arg(root.join("xtask/api/client.yaml"));
    generate.arg("--path").arg(document);
    generate.arg("--output-path").arg(folder.join("redial_client"));
    check("client", &mut generate)?;
    let mut call = tools.python("python");
    call.arg(root.join("xtask/api/client.py"))
        .args([parties.server(), parties::KEY])
        .env("PYTHONPATH", folder);
    check("a call by the client", &mut call)
}

/// Runs the collection; of what it found, only the failures are shown one by one.
fn tour(root: &Path, tools: &Tools, parties: &Parties) -> Result<()> {
    let mut run = tools.newman();
    run.arg("run").arg(root.join(COLLECTION));
    run.arg("--environment").arg(root.join(ENVIRONMENT));
    for (name, value) in [
        ("baseUrl", parties.server()),
        ("apiKey", parties::KEY),
        ("authToken", parties::TOKEN),
    ] {
        run.args(["--env-var", &format!("{name}={value}")]);
    }
    run.args(["--timeout", TOUR_WITHIN, "--timeout-request", REQUEST_WITHIN]);
    run.args(["--reporter-cli-no-success-assertions", "--reporter-cli-no-banner"]);
    run.args(["--color", "off"]);
    check_saying("collection", &mut run, "total run duration")
}

/// Sends what the document allows, and what it forbids.
fn probe(root: &Path, tools: &Tools, parties: &Parties, document: &Path) -> Result<()> {
    let mut probe = tools.python("schemathesis");
    probe
        .current_dir(parties.folder())
        .arg("--config-file")
        .arg(root.join("xtask/api/schemathesis.toml"))
        .arg("run")
        // From its file: of a document that it has read from an address, the prober leaves that address out.
        .arg(document)
        .args(["--url", parties.server()])
        .args(["--header", &format!("Authorization: Bearer {}", parties::KEY)])
        .args(["--seed", SEED, "--max-examples", EXAMPLES])
        .arg("--no-color")
        .env("SCHEMATHESIS_HOOKS", root.join("xtask/api/probe.py"))
        .env("PROBE_TOKEN", parties::TOKEN);
    check("probe", &mut probe)
}

/// Runs a tool; what it says is shown when it objects, else its last line.
fn check(name: &str, command: &mut Command) -> Result<()> {
    check_saying(name, command, "")
}

/// Runs a tool; what it says is shown when it objects, else the last line that holds `verdict`.
fn check_saying(name: &str, command: &mut Command, verdict: &str) -> Result<()> {
    let done = command
        .output()
        .with_context(|| format!("{name}: cannot start {command:?}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !done.status.success() {
        eprint!("{}{}", text(&done.stdout), text(&done.stderr));
        bail!("{name} ({}): {command:?}", done.status);
    }
    let said = text(&done.stdout);
    let last = said
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty() && line.contains(verdict));
    eprintln!(
        "xtask: api: {name}: {}",
        last.unwrap_or("passed").trim_matches(['=', ' ', '│'])
    );
    Ok(())
}
