//! How many small durable changes a second the store takes, by how many callers ask at once.
//!
//! `cargo run --release -p store-sqlite --example sqlite_rate [folder] [changes]`; the folder decides
//! which disk is measured and defaults to the system's temporary one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use store_contract::rate::{self, given::Failure};
use store_sqlite::{Purpose, SqliteStore};

/// Callers at once: one alone, a few, and as many as the server's load test holds connections.
const CALLERS: [u32; 3] = [1, 16, 256];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let changes = args.next().map_or(Ok(20_000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(folder)?;
    let wait = Duration::ZERO;
    let store = SqliteStore::open(&folder.path().join("rate.db"), Purpose::Dial { wait })?;
    rate::measure(Arc::new(store), changes, &CALLERS).await
}
