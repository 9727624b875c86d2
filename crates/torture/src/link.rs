//! A TCP link that goes wrong when it is told to: between a node and the carrier, or a node and its database.
//!
//! It knows no protocol: it counts bytes. What is wrong with each connection is drawn from the run's dice when the trouble
//! reaches it. Every connection that may have carried a dial is remembered, because one that is in doubt had one.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::check::Window;
use crate::clock;
use crate::dice::Dice;

/// How much is handed on at once.
const PIECE: usize = 16 * 1024;
/// What a question begins with, whatever it asks.
const QUESTION: &[u8] = b"GET ";
/// How long a listener is tried for again, when its port is still being given back.
const REBIND: Duration = Duration::from_millis(20);

/// What is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Bytes wait a while, then go on.
    Delay,
    /// Both ends are closed.
    Cut,
    /// One direction is closed, the other goes on.
    HalfClose,
    /// Both ends are reset.
    Reset,
    /// Nothing is handed on any more; when the trouble is over, both ends are reset.
    BlackHole,
    /// Nothing is handed on until the trouble is over; then everything.
    Stall,
    /// Nobody listens.
    Refuse,
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// What is done.
    pub how: How,
    /// To how many of the connections, from 0 to 1.
    pub share: f64,
    /// After how many bytes in either direction, at most.
    pub within_bytes: u64,
    /// The longest delay.
    pub most_delay: Duration,
}

/// What the trouble is now. Each change has a number of its own.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    change: u64,
    trouble: Option<Trouble>,
}

struct Shared {
    state: watch::Sender<State>,
    dice: Mutex<Dice>,
    dials: Mutex<Vec<Dial>>,
}

/// The life of a connection that may have carried a dial, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Dial {
    /// When it was opened.
    pub opened: i64,
    /// When it was closed; nothing while it is open.
    pub closed: Option<i64>,
    /// Whether it did carry a question instead.
    is_question: bool,
}

/// One link.
pub struct Link {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Link {
    /// A sound link to `target`, which lives as long as the runtime.
    ///
    /// # Errors
    /// No port can be had.
    pub fn open(runtime: &Handle, target: SocketAddr, dice: Dice) -> io::Result<Link> {
        let address = SocketAddr::from(([127, 0, 0, 1], e2e::free_port()));
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let shared = Arc::new(Shared {
            state: watch::Sender::new(State::default()),
            dice: Mutex::new(dice),
            dials: Mutex::default(),
        });
        runtime.spawn(listen(listener, address, target, Arc::clone(&shared)));
        Ok(Link { address, shared })
    }

    /// From now on this is wrong with it, for the connections that there are and for new ones.
    pub fn trouble(&self, trouble: Trouble) {
        self.turn(Some(trouble));
    }

    /// It is sound again.
    pub fn heal(&self) {
        self.turn(None);
    }

    fn turn(&self, trouble: Option<Trouble>) {
        self.shared.state.send_modify(|state| {
            state.change += 1;
            state.trouble = trouble;
        });
    }

    /// Every connection that may have carried a dial: all that did not begin as a question does.
    pub fn dials(&self) -> Vec<Dial> {
        let dials = self.shared.dials.lock().unwrap_or_else(PoisonError::into_inner);
        dials.iter().filter(|it| !it.is_question).copied().collect()
    }

    /// How many of these were open at some moment of one of the windows.
    pub fn dials_within(&self, windows: &[Window]) -> u64 {
        let dials = self.dials().into_iter();
        let hit = dials.filter(|dial| {
            let until = dial.closed.unwrap_or(i64::MAX);
            windows
                .iter()
                .any(|it| it.begin <= until && it.end >= dial.opened)
        });
        hit.count() as u64
    }
}

impl Shared {
    /// Changes what is remembered of a connection.
    fn note(&self, place: usize, change: impl FnOnce(&mut Dial)) {
        let mut dials = self.dials.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dial) = dials.get_mut(place) {
            change(dial);
        }
    }

    fn refuses(&self) -> bool {
        matches!(self.state.borrow().trouble, Some(it) if it.how == How::Refuse)
    }

    /// What happens to one direction of a connection under this trouble, and after how many bytes more.
    fn draw(&self, trouble: Trouble) -> Option<Harm> {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        // Either direction may be hit.
        dice.happens(trouble.share / 2.0).then(|| Harm {
            how: trouble.how,
            after: dice.below(trouble.within_bytes.max(1)),
            delay: dice.between(Duration::ZERO, trouble.most_delay),
        })
    }
}

#[derive(Clone, Copy)]
struct Harm {
    how: How,
    after: u64,
    delay: Duration,
}

/// Accepts until the runtime ends; while the link refuses, nobody listens.
async fn listen(listener: TcpListener, address: SocketAddr, target: SocketAddr, shared: Arc<Shared>) {
    let mut listener = Some(listener);
    let mut changes = shared.state.subscribe();
    loop {
        if shared.refuses() {
            listener = None;
            let _ = changes.changed().await;
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind(address).await.ok();
            tokio::time::sleep(REBIND).await;
            continue;
        };
        tokio::select! {
            _ = changes.changed() => {}
            accepted = open.accept() => if let Ok((client, _)) = accepted {
                tokio::spawn(serve(client, target, Arc::clone(&shared)));
            },
        }
    }
}

async fn serve(client: TcpStream, target: SocketAddr, shared: Arc<Shared>) {
    let dial = Dial {
        opened: clock::millis(),
        closed: None,
        is_question: false,
    };
    let place = {
        let mut dials = shared.dials.lock().unwrap_or_else(PoisonError::into_inner);
        dials.push(dial);
        dials.len() - 1
    };
    converse(client, target, &shared, place).await;
    shared.note(place, |dial| dial.closed = Some(clock::millis()));
}

/// How one direction came to its end.
enum End {
    /// Whoever sends has finished.
    Finished,
    /// The connection is to be closed now, or reset.
    Broken { reset: bool },
}

async fn converse(mut client: TcpStream, target: SocketAddr, shared: &Shared, place: usize) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        reset(&client);
        return;
    };
    // Only a delay is at stake if this fails.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let broken = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(from_client, to_server, shared, Some(place));
        let down = pump(from_server, to_client, shared, None);
        tokio::pin!(up, down);
        let mut finished = (false, false);
        loop {
            let end = tokio::select! {
                end = &mut up, if !finished.0 => { finished.0 = true; end }
                end = &mut down, if !finished.1 => { finished.1 = true; end }
                else => break false,
            };
            if let End::Broken { reset } = end {
                break reset;
            }
        }
    };
    if broken {
        reset(&client);
        reset(&server);
    }
}

/// Closes so that the other end sees a reset and nothing that waits is delivered.
fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Hands on one direction until it ends or something is done to it.
async fn pump(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    shared: &Shared,
    mut fresh: Option<usize>,
) -> End {
    let mut changes = shared.state.subscribe();
    let mut seen = State::default();
    let mut harm: Option<Harm> = None;
    let mut piece = vec![0; PIECE];
    loop {
        let state = *changes.borrow_and_update();
        if state.change != seen.change {
            seen = state;
            harm = state.trouble.and_then(|trouble| shared.draw(trouble));
            if harm.is_some_and(|it| it.how == How::Refuse) {
                return End::Broken { reset: true };
            }
        }
        // A silent connection is reached too, as soon as it is to be broken at once.
        let length = tokio::select! {
            // What came after the trouble is hit by it.
            biased;
            _ = changes.changed() => continue,
            length = from.read(&mut piece) => match length {
                Ok(0) => {
                    let _ = to.shutdown().await;
                    return End::Finished;
                }
                Ok(length) => length,
                Err(_) => return End::Broken { reset: true },
            },
        };
        let mut rest = &piece[..length];
        if let Some(place) = fresh.take() {
            let is_question = rest.starts_with(QUESTION);
            shared.note(place, |dial| dial.is_question = is_question);
        }
        if let Some(hit) = &mut harm {
            let first = usize::try_from(hit.after).unwrap_or(usize::MAX);
            if first >= rest.len() {
                hit.after -= rest.len() as u64;
            } else {
                let (before, after) = rest.split_at(first);
                if to.write_all(before).await.is_err() {
                    return End::Broken { reset: true };
                }
                rest = after;
                let hit = *hit;
                harm = None;
                if let Some(end) = strike(hit, &mut to, &mut changes).await {
                    return end;
                }
            }
        }
        if to.write_all(rest).await.is_err() {
            return End::Broken { reset: true };
        }
    }
}

/// Does what is to be done. Nothing is given back when the bytes go on afterwards.
async fn strike(
    hit: Harm,
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    changes: &mut watch::Receiver<State>,
) -> Option<End> {
    match hit.how {
        How::Delay => {
            tokio::time::sleep(hit.delay).await;
            None
        }
        How::Stall => {
            let _ = changes.changed().await;
            None
        }
        How::BlackHole => {
            let _ = changes.changed().await;
            Some(End::Broken { reset: true })
        }
        How::HalfClose => {
            let _ = to.shutdown().await;
            Some(End::Finished)
        }
        How::Cut => Some(End::Broken { reset: false }),
        How::Reset | How::Refuse => Some(End::Broken { reset: true }),
    }
}

#[cfg(test)]
mod tests;
