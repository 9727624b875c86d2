//! A child process that serves HTTP: started, waited for, killed by its own id, its log kept for the failure.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::binary;
use crate::wait::{BOUND, wait_for};

/// What both servers print to stderr once they accept connections.
const READY: &str = "listening on http://";

/// The last lines of a log, enough to see why a test failed.
const KEPT_LINES: usize = 400;

type Log = Arc<Mutex<VecDeque<String>>>;

/// One running command of the binary.
pub struct Process {
    name: String,
    child: Child,
    log: Log,
    /// `http://127.0.0.1:PORT`, as the process itself printed it.
    pub address: String,
}

/// The environment of a process: nothing is inherited, so that a developer's own settings cannot leak in.
pub type Environment = [(String, String)];

impl Process {
    /// Starts `redial <args>` in `folder` and waits until it listens.
    ///
    /// # Panics
    /// When it ends or stays silent; its log is shown.
    pub fn start(args: &[&str], environment: &Environment, folder: &Path) -> Self {
        let mut child = command(args, environment, folder)
            .spawn()
            .expect("the binary is there and may be run");
        let log = Log::default();
        let stderr = child.stderr.take().expect("stderr is piped");
        let ready = follow(stderr, Arc::clone(&log));
        let mut process = Self {
            name: args.join(" "),
            child,
            log,
            address: String::new(),
        };
        match ready.recv_timeout(BOUND) {
            Ok(address) => process.address = address,
            Err(RecvTimeoutError::Timeout) => panic!("`{}` did not say `{READY}...`", process.name),
            Err(RecvTimeoutError::Disconnected) => {
                panic!(
                    "`{}` ended before it listened: {:?}",
                    process.name,
                    process.child.wait()
                )
            }
        }
        process
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does: no handler runs, nothing is flushed.
    pub fn kill_dash_nine(&mut self) {
        self.child.kill().expect("a child may be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("a child may be signalled");
        self.wait()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for(&format!("the end of `{}`", self.name), || {
            let status = self.child.try_wait().expect("a child may be waited for");
            status.ok_or_else(|| "still running".to_owned())
        })
    }

    /// The last lines that it printed to stderr.
    pub fn log(&self) -> String {
        let lines = self.log.lock().expect("no reader panics");
        lines.iter().map(|it| format!("{it}\n")).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!(
                "---- `{}` ({}) said last:\n{}----",
                self.name,
                self.address,
                self.log()
            );
        }
    }
}

/// Runs `redial <args>` to its end and gives back its exit code, its stdout and its stderr.
///
/// # Panics
/// When it does not end within the bound.
pub fn run_to_end(args: &[&str], environment: &Environment, folder: &Path) -> (Option<i32>, String, String) {
    run_with_input(args, environment, folder, "")
}

/// As [`run_to_end`], with `input` on its stdin.
///
/// # Panics
/// When it does not end within the bound.
pub fn run_with_input(
    args: &[&str],
    environment: &Environment,
    folder: &Path,
    input: &str,
) -> (Option<i32>, String, String) {
    let mut child = command(args, environment, folder);
    let mut child = child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary is there and may be run");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A command that asks nothing may have ended by now. The pipe closes here: there is no more.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let (log, data) = (Log::default(), Log::default());
    let errors = follow(child.stderr.take().expect("stderr is piped"), Arc::clone(&log));
    let output = follow(child.stdout.take().expect("stdout is piped"), Arc::clone(&data));
    let mut process = Process {
        name: args.join(" "),
        child,
        log,
        address: String::new(),
    };
    let status = process.wait();
    // Both readers end with their pipes; until then the last lines may be missing.
    for reader in [errors, output] {
        while reader.recv_timeout(BOUND).is_ok() {}
    }
    let data = data
        .lock()
        .expect("no reader panics")
        .iter()
        .map(|it| format!("{it}\n"))
        .collect();
    (status.code(), data, process.log())
}

fn command(args: &[&str], environment: &Environment, folder: &Path) -> Command {
    let mut command = Command::new(binary::path());
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().cloned());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Reads lines into the log until the pipe closes; sends the address when it is printed.
fn follow(pipe: impl std::io::Read + Send + 'static, log: Log) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Some(at) = line.find(READY) {
                let rest = &line[at + READY.len()..];
                let end = rest.find(|it: char| !(it.is_ascii_digit() || it == '.' || it == ':'));
                let address = format!("http://{}", &rest[..end.unwrap_or(rest.len())]);
                // Nobody listens any more once the process is up.
                let _ = sender.send(address);
            }
            let mut lines = log.lock().expect("no reader panics");
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    });
    receiver
}
