//! How many small durable changes a second the store takes, by how many callers ask at once. As many
//! callers as there are batches in flight have a transaction each for every change; more of them share.
//!
//! `cargo run --release -p store-postgres --example postgres_rate postgres://... [changes]`; the
//! database is to be empty. One that syncs nothing (as that of `cargo xtask pg`) measures no disk.

use std::sync::Arc;

use store_contract::rate::{self, given::Failure};
use store_postgres::{Durability, PostgresStore, Purpose};

/// Callers at once: one alone, one for each batch in flight, a few, and as many as the server's load
/// test holds connections.
const CALLERS: [u32; 4] = [1, 3, 16, 256];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let url = args.next().ok_or("the address of an empty database is missing")?;
    let changes = args.next().map_or(Ok(20_000), |text| text.parse())?;
    let store = PostgresStore::open(&url, Purpose::Dial(Durability::Local)).await?;
    rate::measure(Arc::new(store), changes, &CALLERS).await
}
