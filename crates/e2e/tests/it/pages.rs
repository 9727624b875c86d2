//! What the documentation tells a reader to type is typed: each page in a folder of its own, with the real binary, and
//! what is printed is held against what the page shows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use e2e::{Page, Process, Step, binary, free_port, wait_for};

/// Kinds of blocks that are no commands, and `sh`: commands that cannot be run here, because they want Docker, systemd,
/// or an account that costs money.
const NOT_RUN: [&str; 8] = ["sh", "text", "toml", "json", "yaml", "ini", "rust", "xml"];

/// Longer than any command of a page takes, in seconds.
const WITHIN: &str = "40";

/// A reader at work: a folder, an environment, and what was left running.
struct Reader {
    name: String,
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    /// The address that stands on the page, and the one that stands for it here.
    addresses: [(&'static str, String); 2],
    /// `redial sim` and `redial serve`, each in a terminal of its own.
    running: BTreeMap<String, Process>,
}

impl Reader {
    fn new(name: &str) -> Reader {
        let folder = tempfile::tempdir().expect("a folder");
        let here = || format!("127.0.0.1:{}", free_port());
        let addresses = [("127.0.0.1:8080", here()), ("127.0.0.1:8081", here())];
        let server = addresses[0].1.clone();
        let bin = binary::path();
        let bin = bin.parent().expect("a binary lies in a folder");
        let system = std::env::var("PATH").unwrap_or_default();
        let environment = [
            ("HOME", folder.path().display().to_string()),
            ("PATH", format!("{}:{system}", bin.display())),
            ("REDIAL_LISTEN", server.clone()),
            ("REDIAL_SERVER", format!("http://{server}")),
        ];
        Reader {
            name: name.to_owned(),
            folder,
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            addresses,
            running: BTreeMap::new(),
        }
    }

    /// Types one command, and compares.
    fn follow(&mut self, step: &Step) {
        let mut command = step.command.replace("localhost:", "127.0.0.1:");
        for (there, here) in &self.addresses {
            command = command.replace(there, here);
        }
        let place = format!("docs/{}:{}: {}", self.name, step.line, step.command);
        let words: Vec<&str> = command.split_whitespace().collect();
        if let ["redial", name @ ("sim" | "serve"), ..] = words[..] {
            self.leave_running(name, &words[1..], step, &place);
        } else if command.starts_with("export ") {
            let environment = self.run(&format!("{command} && env -0"), &place);
            let variables = environment.split('\0').filter_map(|it| it.split_once('='));
            self.environment = variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
        } else {
            let said = self.as_shown(&self.run(&command, &place));
            assert!(step.shows(&said), "{place}\nprinted:\n{said}");
        }
    }

    fn leave_running(&mut self, name: &str, words: &[&str], step: &Step, place: &str) {
        // Started again, the first is ended before.
        if let Some(mut before) = self.running.remove(name) {
            before.stop();
        }
        let mut args = words.to_vec();
        if name == "sim" {
            args.extend(["--listen", &self.addresses[1].1]);
        }
        let environment: Vec<_> = self.environment.clone().into_iter().collect();
        let process = Process::start(&args, &environment, self.folder.path());
        wait_for(place, || {
            let said = self.as_shown(&process.log());
            if step.shows(&said) { Ok(()) } else { Err(said) }
        });
        self.running.insert(name.to_owned(), process);
    }

    /// Runs a command to its end, which must be a good one; gives back all that it printed.
    fn run(&self, command: &str, place: &str) -> String {
        let mut shell = Command::new("timeout");
        shell
            .args([WITHIN, "bash", "-o", "pipefail", "-c"])
            .arg(format!("exec 2>&1\n{command}"))
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment);
        let done = shell.output().expect("a shell is there");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success(),
            "{place}\nended with {}, printed:\n{said}",
            done.status
        );
        said
    }

    /// With the addresses as they stand on the page.
    fn as_shown(&self, said: &str) -> String {
        self.addresses
            .iter()
            .fold(said.to_owned(), |said, (there, here)| said.replace(here, there))
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The pages that tell a reader to do something: those of the table of contents up to the reference.
fn pages() -> Vec<(String, Page)> {
    let read =
        |name: &str| std::fs::read_to_string(docs().join(name)).expect("a page that is listed is there");
    let listed = read("SUMMARY.md");
    let (to_do, _) = listed
        .split_once("# Reference")
        .expect("a part that is no instruction");
    let names = to_do.split("](").skip(1).filter_map(|it| it.split(')').next());
    names
        .map(|name| (name.to_owned(), Page::read(&read(name))))
        .collect()
}

#[test]
fn what_a_page_tells_to_type_works_and_prints_what_it_shows() {
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    let pages = pages();
    thread::scope(|scope| {
        for (name, page) in &pages {
            let steps = page
                .steps
                .iter()
                .filter(|it| has_curl || !it.command.contains("curl "));
            let steps: Vec<&Step> = steps.collect();
            let left_out = page.others.get("sh").copied().unwrap_or_default();
            let skipped = page.steps.len() - steps.len();
            eprintln!(
                "docs/{name}: {} commands run; not run: {left_out} blocks that cannot be run here, {skipped} commands for want of curl",
                steps.len()
            );
            scope.spawn(move || {
                let mut reader = Reader::new(name);
                for step in steps {
                    reader.follow(step);
                }
            });
        }
    });
    assert!(pages.iter().any(|it| !it.1.steps.is_empty()));
}

#[test]
fn every_block_of_an_instruction_says_of_what_kind_it_is() {
    for (name, page) in pages() {
        for kind in page.others.keys() {
            assert!(
                NOT_RUN.contains(&kind.as_str()),
                "docs/{name}: a block of kind `{kind}`"
            );
        }
        assert_eq!(page.unfenced, Vec::<String>::new(), "docs/{name}: fence it");
    }
}
