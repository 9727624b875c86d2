//! Peers that drag their feet, by the thousand: whether the server still answers everybody else meanwhile. The slow ones
//! are slowhttptest's; the others are ours, one request after the other.
//!
//! Knows the binary only. Where the tool is not there and cannot be had, the step is skipped, loudly.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::api::parties::Parties;
use crate::program;

/// The tool, and Debian's package of it.
const TOOL: &str = "slowhttptest";
/// Between two good requests.
const BREATH: Duration = Duration::from_millis(10);

/// How the slow peers are slow: a name, the tool's words for it, and what they ask for.
const WAYS: [(&str, &[&str], &str); 3] = [
    ("slow headers", &["-H"], "/healthz"),
    ("slow bodies", &["-B"], "/twilio/status?call=any"),
    // Three answers asked for at once, and read by 64 bytes in two seconds.
    (
        "slow readers",
        &["-X", "-k", "3", "-n", "2", "-z", "64", "-w", "256", "-y", "512"],
        "/openapi.json",
    ),
];

/// Runs each way for so many seconds with so many connections, against the binary at `redial`.
///
/// # Errors
/// A good request that was not answered well, or a tool that did not run.
pub fn run(redial: &Path, connections: u32, seconds: u32) -> Result<()> {
    if let Err(error) = program::install(&[TOOL]) {
        eprintln!("xtask: slow peers: SKIPPED, `{TOOL}` is not here and cannot be had: {error:#}");
        return Ok(());
    }
    let parties = Parties::start(redial)?;
    for (way, words, path) in WAYS {
        let address = format!("{}{path}", parties.server());
        let mut tool = Command::new(TOOL);
        tool.args(words).args(["-u", &address, "-i", "2", "-p", "5"]);
        tool.args(["-c", &connections.to_string(), "-l", &seconds.to_string()]);
        // All are there within the first seconds.
        tool.args(["-r", &(connections / 3).max(1).to_string()]);
        tool.stdout(Stdio::piped()).stdin(Stdio::null());
        let attack = tool.spawn().with_context(|| format!("cannot start {tool:?}"))?;
        let (answers, said) = meanwhile(attack, &parties)?;
        eprintln!(
            "xtask: slow peers: {way}: {connections} connections, {}; {answers}",
            verdict(&said)
        );
    }
    Ok(())
}

/// Asks well-behaved questions until the tool has ended. Gives how they went, and what the tool said.
fn meanwhile(mut attack: Child, parties: &Parties) -> Result<(String, String)> {
    let mut output = attack.stdout.take().context("stdout is piped")?;
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        output.read_to_string(&mut said).map(|_| said)
    });
    let asked = ask_until_ended(&mut attack, parties);
    if asked.is_err() {
        // Ended already is as good.
        let _ = attack.kill();
    }
    let status = attack.wait().context("the tool's end")?;
    let mut took = asked?;
    if !status.success() {
        bail!("{TOOL} failed ({status})");
    }
    let said = reader.join().ok().context("the tool's output")??;
    took.sort();
    let of = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    let answers = format!(
        "{} others answered, half within {:.1?}, 99 of 100 within {:.1?}, all within {:.1?}",
        took.len(),
        of(50),
        of(99),
        took.last().copied().unwrap_or_default()
    );
    Ok((answers, said))
}

fn ask_until_ended(attack: &mut Child, parties: &Parties) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    while attack.try_wait().context("the tool's state")?.is_none() {
        let begun = Instant::now();
        ask(parties, took.len()).with_context(|| {
            format!(
                "a good request, {} others answered before it, after {:.1?}",
                took.len(),
                begun.elapsed()
            )
        })?;
        took.push(begun.elapsed());
        std::thread::sleep(BREATH);
    }
    Ok(took)
}

/// A good request: for a call to somebody who was not called yet, or after the health.
fn ask(parties: &Parties, number: usize) -> Result<()> {
    let (line, document) = match number.is_multiple_of(2) {
        true => {
            // Beyond the numbers whose endings tell the simulator what to do.
            let to = format!("+1555{:07}", 2_001_000 + number);
            let document = format!(r#"{{"user_id":"ada","from":"+15550001111","to":"{to}"}}"#);
            ("POST /calls/outbound", document)
        }
        false => ("GET /healthz", String::new()),
    };
    let (status, body) = parties.ask(line, &document)?;
    if !(200..300).contains(&status) {
        bail!("{line}: {status}: {body}");
    }
    Ok(())
}

/// What the tool counted last, of everything that it painted on the screen.
fn verdict(said: &str) -> String {
    let count = |name: &str| {
        let line = said.lines().rev().find(|line| line.contains(name));
        let value = line.and_then(|line| line.rsplit(name).next());
        // What is left beside the figure is colours.
        let painted = value.unwrap_or_default().replace("\u{1b}[", " ");
        painted
            .split_whitespace()
            .find(|word| word.bytes().all(|it| it.is_ascii_digit()))
            .map_or_else(|| "?".to_owned(), str::to_owned)
    };
    format!("{} of them closed by the server", count("closed:"))
}
