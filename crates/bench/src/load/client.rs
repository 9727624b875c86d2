//! The load's own process: a closed loop, each connection with one request under way, over bare sockets on one
//! thread, so that as much as possible of the machine is left to what is measured.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::LocalSet;

use super::Outcome;
use crate::args;
use crate::failure::{Failure, Saying};
use crate::figures::percentile;
use crate::{clock, head};

/// However long a load takes, it ends: a server that hangs must not hang the run.
const LONGEST: Duration = Duration::from_secs(300);

/// What all connections share.
struct Course {
    frames: Vec<Vec<u8>>,
    next: Cell<usize>,
    until: Cell<Option<Instant>>,
    micros: RefCell<Vec<u64>>,
    statuses: RefCell<BTreeMap<u16, u64>>,
}

impl Course {
    fn next(&self) -> Option<&[u8]> {
        let at = self.next.get();
        self.next.set(at + 1);
        match self.until.get() {
            Some(until) if Instant::now() < until => {
                self.frames.get(at % self.frames.len()).map(Vec::as_slice)
            }
            Some(_) => None,
            None => self.frames.get(at).map(Vec::as_slice),
        }
    }

    fn note(&self, status: u16, took: Duration) {
        self.micros
            .borrow_mut()
            .push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        *self.statuses.borrow_mut().entry(status).or_default() += 1;
    }
}

/// Sends what the file holds and prints how it went, as JSON.
///
/// # Errors
/// A connection that fails: a server that refuses work says so with a status.
pub fn run(part: &args::Load) -> Result<(), Failure> {
    let frames = super::read(&part.frames)?;
    if frames.is_empty() {
        return Err("no requests to send".into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(LONGEST, drive(part, frames))
            .await
            .saying("the load does not end")?
    })?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

async fn drive(part: &args::Load, frames: Vec<Vec<u8>>) -> Result<Outcome, Failure> {
    let course = Rc::new(Course {
        micros: RefCell::new(Vec::with_capacity(frames.len().max(1 << 18))),
        frames,
        next: Cell::new(0),
        until: Cell::new(None),
        statuses: RefCell::default(),
    });
    let connected = Rc::new(Barrier::new(part.connections + 1));
    let begin = Rc::new(Barrier::new(part.connections + 1));
    let mut tasks = Vec::with_capacity(part.connections);
    for _ in 0..part.connections {
        let (course, connected, begin) = (Rc::clone(&course), Rc::clone(&connected), Rc::clone(&begin));
        let to = part.to;
        tasks.push(tokio::task::spawn_local(async move {
            let stream = TcpStream::connect(to).await;
            connected.wait().await;
            begin.wait().await;
            let stream = stream.saying("cannot connect")?;
            stream.set_nodelay(true)?;
            converse(&course, stream).await
        }));
    }
    connected.wait().await;
    let (began, began_us) = (Instant::now(), clock::micros());
    course.until.set(
        part.seconds
            .map(|seconds| began + Duration::from_secs_f64(seconds)),
    );
    begin.wait().await;
    for task in tasks {
        task.await??;
    }
    let seconds = began.elapsed().as_secs_f64();
    let mut micros = course.micros.take();
    micros.sort_unstable();
    Ok(Outcome {
        answers: micros.len() as u64,
        statuses: course.statuses.take().into_iter().collect(),
        seconds,
        began_us,
        p50_us: percentile(&micros, 0.5),
        p99_us: percentile(&micros, 0.99),
    })
}

/// One connection: a request, its whole answer, the next request.
async fn converse(course: &Course, mut stream: TcpStream) -> Result<(), Failure> {
    let mut buffer = Vec::with_capacity(16 * 1024);
    while let Some(frame) = course.next() {
        let asked = Instant::now();
        stream.write_all(frame).await?;
        buffer.clear();
        let length = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err("the server closed a connection".into());
            }
            if let Some(message) = head::message(&buffer) {
                break message.length;
            }
        };
        if buffer.len() != length {
            return Err("an answer is followed by something that nobody asked for".into());
        }
        let status = head::status(&buffer).ok_or("an answer without a status")?;
        course.note(status, asked.elapsed());
    }
    Ok(())
}
