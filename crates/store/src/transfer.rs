//! Everything that a store remembers, in a form that all stores share, and how it gets from one into
//! another without two of them ever being dialled from.
//!
//! A database that nobody may use is sealed: a note in it that every version of the program refuses,
//! because no version knows a schema of that number. A copy appears sealed and whole, then the
//! source is sealed, then the copy's seal is taken off: a crash anywhere leaves one of the two that
//! can be used, or none. It knows neither file nor server; each store has its own [`Side`]. Called by
//! the command.

use std::fmt;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::StoreError;

/// Rows read and written at once: a few MiB of calls with long documents, and enough to make a round
/// trip cheap.
pub const ROWS: usize = 500;

/// The schema's number in a database that is sealed: above any that there will ever be.
pub const SEALED: i64 = 1_000_000_000;

/// The kinds of rows that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Calls.
    Calls,
    /// Their histories.
    Events,
    /// Which attempt owns a leg.
    Legs,
    /// Permits, whatever became of them.
    Permits,
    /// Idempotency keys.
    Keys,
    /// Facts that no call was found for.
    Orphans,
    /// How many calls a user has in each status.
    Totals,
    /// Whether and how fast may be dialled: one row.
    Dialling,
}

impl Kind {
    /// Every kind, in the order in which they are written: a call before what hangs on it.
    pub const ALL: [Kind; 8] = [
        Kind::Calls,
        Kind::Events,
        Kind::Legs,
        Kind::Permits,
        Kind::Keys,
        Kind::Orphans,
        Kind::Totals,
        Kind::Dialling,
    ];

    /// Its name, for people and machines.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Calls => "calls",
            Kind::Events => "events",
            Kind::Legs => "legs",
            Kind::Permits => "permits",
            Kind::Keys => "keys",
            Kind::Orphans => "orphans",
            Kind::Totals => "totals",
            Kind::Dialling => "dialling",
        }
    }

    /// The columns of its rows, in their order.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Kind::Calls => &[
                "id",
                "user_id",
                "to_number",
                "from_number",
                "status",
                "attempt_count",
                "should_retry",
                "created_at",
                "shelf",
                "alive",
                "due_at",
                "check_at",
                "events",
                "body",
            ],
            Kind::Events => &["call_id", "seq", "at", "body"],
            Kind::Legs => &["sid", "call_id", "attempt"],
            Kind::Permits => &[
                "call_id",
                "attempt",
                "account",
                "from_number",
                "to_number",
                "state",
                "granted_at",
            ],
            Kind::Keys => &["key", "body_hash", "call_id", "created_at"],
            Kind::Orphans => &["n", "sid", "named_id", "named_attempt", "received_at", "body"],
            Kind::Totals => &["user_id", "status", "n"],
            Kind::Dialling => &[
                "paused_at",
                "hold_since",
                "hold_probe_at",
                "hold_message",
                "restored",
                "live",
                "pace_clear_at",
            ],
        }
    }

    /// How many of the first columns name a row. Rows are read in the order of these, texts and bytes
    /// compared byte by byte.
    pub fn key(self) -> usize {
        match self {
            Kind::Calls | Kind::Legs | Kind::Keys | Kind::Orphans => 1,
            Kind::Events | Kind::Permits | Kind::Totals => 2,
            Kind::Dialling => 0,
        }
    }
}

/// One value of a row. What is true or false is 1 or 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    Nothing,
    /// A number, a code, or a moment in milliseconds since 1970.
    Number(i64),
    /// A text.
    Text(String),
    /// Bytes, those of a call's name among them.
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of [`Kind::columns`].
pub type Row = Vec<Value>;

/// What a database that nobody may use says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// Everything is in another database, whose digest this was.
    Moved(String),
    /// It is a whole copy with this digest, and what it was made of may still be dialled from.
    Copied(String),
}

impl Seal {
    /// The note of a sealed database.
    pub fn note(&self) -> String {
        match self {
            Seal::Moved(digest) => format!("moved {digest}"),
            Seal::Copied(digest) => format!("copied {digest}"),
        }
    }

    /// Reads a note back. A note in other words is a seal of a version to come.
    pub fn read(note: &str) -> Option<Seal> {
        match note.split_once(' ')? {
            ("moved", digest) => Some(Seal::Moved(digest.to_owned())),
            ("copied", digest) => Some(Seal::Copied(digest.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Seal::Moved(_) => {
                "everything in it was moved to another database by `redial copy`: what is dialled from here \
                 would be dialled twice"
            }
            Seal::Copied(_) => {
                "it is a copy that was cut at its end: give the same `redial copy` once more, which finishes it"
            }
        })
    }
}

/// What a sealed database is refused with.
pub fn refusal(note: &str) -> StoreError {
    StoreError::broken(match Seal::read(note) {
        Some(seal) => format!("the database may not be used: {seal}"),
        None => format!("the database was closed by a newer version: {note}"),
    })
}

/// One of the two databases. Nobody else uses it as long as this lives, and what is not kept is as if
/// it had never been written.
#[async_trait]
pub trait Side: Send {
    /// The seal on it.
    fn seal(&self) -> Option<&Seal>;

    /// Makes sure that nothing is in it. What a copy left that was cut at its end is thrown away.
    ///
    /// # Errors
    /// `Broken`: something is in it.
    async fn empty(&mut self) -> Result<(), StoreError>;

    /// The first [`ROWS`] rows of a kind after `after`, in the order of their keys; none at the end.
    async fn read(&mut self, kind: Kind, after: Option<&Row>) -> Result<Vec<Row>, StoreError>;

    /// Writes rows of a kind, which come in the order of their keys.
    async fn write(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Keeps what was written, together with this seal or without any: on the disk when it returns.
    async fn keep(&mut self, seal: Option<Seal>) -> Result<(), StoreError>;
}

/// How many rows of a kind there are, and their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The kind.
    pub kind: Kind,
    /// How many.
    pub rows: u64,
    /// SHA-256 of all of them, in the order of their keys, as hexadecimal digits.
    pub digest: String,
}

/// What became of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is in the target, read back and compared.
    Copied(Vec<Sum>),
    /// Everything was in the target already, by a copy that was cut at its end.
    Finished,
}

/// Moves everything from one side to the other, which must be empty. `tell` hears how many rows of a
/// kind are written.
///
/// # Errors
/// `Broken`: the source was moved before, the target is not empty, or what arrived is not what was
/// sent. The source can be used then as before, and the target not at all.
pub async fn transfer(
    from: &mut dyn Side,
    to: &mut dyn Side,
    tell: &mut (dyn FnMut(Kind, u64) + Send),
) -> Result<Outcome, StoreError> {
    match (from.seal(), to.seal()) {
        (Some(Seal::Moved(moved)), Some(Seal::Copied(copied))) if moved == copied => {
            to.keep(None).await?;
            return Ok(Outcome::Finished);
        }
        (Some(seal), _) => return Err(refusal(&seal.note())),
        (None, Some(seal @ Seal::Moved(_))) => return Err(refusal(&seal.note())),
        (None, _) => {}
    }
    to.empty().await?;
    let mut sums = Vec::new();
    for kind in Kind::ALL {
        let mut sent = Summing::new(kind);
        while let Some(rows) = sent.next(from).await? {
            to.write(kind, rows).await?;
            tell(kind, sent.rows);
        }
        sums.push(sent.sum());
    }
    for sent in &sums {
        let mut arrived = Summing::new(sent.kind);
        while arrived.next(to).await?.is_some() {}
        let arrived = arrived.sum();
        if arrived != *sent {
            let name = sent.kind.name();
            return Err(StoreError::broken(format!(
                "{} {name} were sent and {} arrived, and they are not the same: nothing was kept",
                sent.rows, arrived.rows
            )));
        }
    }
    let digest = digest(&sums);
    to.keep(Some(Seal::Copied(digest.clone()))).await?;
    from.keep(Some(Seal::Moved(digest))).await?;
    to.keep(None).await?;
    Ok(Outcome::Copied(sums))
}

/// The digest of everything.
fn digest(sums: &[Sum]) -> String {
    let mut all = Sha256::new();
    sums.iter().for_each(|sum| all.update(&sum.digest));
    hexadecimal(&all.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a kind to its end, batch by batch, and sums it up.
struct Summing {
    kind: Kind,
    rows: u64,
    digest: Sha256,
    last: Option<Row>,
}

impl Summing {
    fn new(kind: Kind) -> Summing {
        Summing {
            kind,
            rows: 0,
            digest: Sha256::new(),
            last: None,
        }
    }

    /// The next rows; `None` at the end.
    async fn next(&mut self, side: &mut dyn Side) -> Result<Option<Vec<Row>>, StoreError> {
        let rows = side.read(self.kind, self.last.as_ref()).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        self.last = Some(last.clone());
        for row in &rows {
            self.rows += 1;
            row.iter().for_each(|value| add(&mut self.digest, value));
        }
        Ok(Some(rows))
    }

    fn sum(self) -> Sum {
        Sum {
            kind: self.kind,
            rows: self.rows,
            digest: hexadecimal(&self.digest.finalize()),
        }
    }
}

/// Each value with its kind and length before it, so that no two rows look alike.
fn add(digest: &mut Sha256, value: &Value) {
    let number;
    let (mark, bytes): (u8, &[u8]) = match value {
        Value::Nothing => (0, &[]),
        Value::Number(it) => {
            number = it.to_be_bytes();
            (1, &number)
        }
        Value::Text(text) => (2, text.as_bytes()),
        Value::Bytes(bytes) => (3, bytes),
    };
    digest.update([mark]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests;
