//! The load as the rows see it: requests are written to a file, a process of its own sends them and says how it
//! went. The generator's processor time counts against the same cores in every row alike.

pub mod client;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Saying};

/// Requests in a file, each with its length before it.
pub struct Frames {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Frames {
    /// An empty file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = BufWriter::with_capacity(1 << 20, File::create(&path).saying(path.display())?);
        Ok(Self { path, file })
    }

    /// One more request.
    ///
    /// # Errors
    /// The disk is full.
    pub fn push(&mut self, frame: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(frame.len())?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(frame)?;
        Ok(())
    }

    /// Ends the file; it can be sent from then on.
    ///
    /// # Errors
    /// The disk is full.
    pub fn done(mut self) -> Result<Ready, Failure> {
        self.file.flush()?;
        Ok(Ready { path: self.path })
    }
}

/// Requests that can be sent.
pub struct Ready {
    path: PathBuf,
}

impl Drop for Ready {
    fn drop(&mut self) {
        // It lies in a folder that is removed at the end anyway; this keeps the folder small until then.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// How a load went.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Answers, whatever they said.
    pub answers: u64,
    /// Answers by their status.
    pub statuses: Vec<(u16, u64)>,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// When it began, in microseconds since 1970.
    pub began_us: i64,
    /// Half of the answers came within so many microseconds.
    pub p50_us: u64,
    /// 99 of 100 came within so many.
    pub p99_us: u64,
}

impl Outcome {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.seconds.max(1e-9)
    }

    /// Fails unless every answer had this status: what was refused was not measured.
    ///
    /// # Errors
    /// Another status, with its number.
    pub fn all(&self, status: u16) -> Result<(), Failure> {
        match self.statuses.as_slice() {
            [(only, _)] if *only == status => Ok(()),
            other => Err(format!("every answer should have status {status}: {other:?}").into()),
        }
    }
}

/// Who is asked, how.
#[derive(Clone, Copy)]
pub struct Way {
    /// The server.
    pub to: SocketAddr,
    /// Connections, kept alive, each with one request under way.
    pub connections: usize,
    /// Goes round the requests for so long; `None`: each once.
    pub seconds: Option<f64>,
}

/// Sends the requests from a process of their own.
///
/// # Errors
/// When that process fails; it says why on stderr.
pub fn send(frames: &Ready, way: Way) -> Result<Outcome, Failure> {
    let mut command = Command::new(this_program()?);
    command.env_clear().args(["load", "--to", &way.to.to_string()]);
    command.arg("--frames").arg(&frames.path);
    command.args(["--connections", &way.connections.to_string()]);
    if let Some(seconds) = way.seconds {
        command.args(["--seconds", &seconds.to_string()]);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the load failed ({})", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The path of the program that is running.
///
/// # Errors
/// The system does not tell.
pub fn this_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().saying("the path of this program")
}

/// Requests read back from a file.
///
/// # Errors
/// The file is cut short.
fn read(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = std::fs::read(path).saying(path.display())?;
    let mut rest = bytes.as_slice();
    let mut frames = Vec::new();
    while let Some((length, more)) = rest.split_first_chunk() {
        let length = u32::from_le_bytes(*length) as usize;
        let (frame, more) = more
            .split_at_checked(length)
            .ok_or("the file of requests is cut short")?;
        frames.push(frame.to_vec());
        rest = more;
    }
    Ok(frames)
}
