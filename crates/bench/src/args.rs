//! The command line, of the whole and of its parts.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::database::Kind;

/// Measures redial against a bare server of the same framework.
#[derive(Parser)]
#[command(name = "redial-bench", args_conflicts_with_subcommands = true)]
pub struct Args {
    /// The binary that is measured [default: `redial` beside this program]
    #[arg(long)]
    pub redial: Option<PathBuf>,
    /// Where the databases are made: this disk is measured [default: the folder of this program]
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Where the measured server keeps its calls
    #[arg(long, value_enum, default_value = "sqlite")]
    pub store: Kind,
    /// Shorter and with less stored: to see that nothing broke, in a minute
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// With a million calls waiting and five million stored
    #[arg(long)]
    pub full: bool,
    /// For machines: JSON on stdout
    #[arg(long)]
    pub json: bool,
    /// Value of REDIAL_LOG for the measured server
    #[arg(long, default_value = "info")]
    pub log: String,
    /// Only these rows
    pub only: Vec<String>,
    /// A part, played in a process of its own
    #[command(subcommand)]
    pub part: Option<Part>,
}

/// The parts that a process can play.
#[derive(Subcommand)]
pub enum Part {
    /// The bare server that everything is compared with
    #[command(hide = true)]
    Hello(Hello),
    /// The load: sends requests from a file, one per connection at a time
    #[command(hide = true)]
    Load(Load),
    /// The carrier that answers at once
    #[command(hide = true)]
    Carrier(Carrier),
}

/// The bare server.
#[derive(clap::Args)]
pub struct Hello {
    /// The account whose callbacks it verifies
    #[arg(long)]
    pub account: String,
    /// The account's token
    #[arg(long)]
    pub token: String,
}

/// The load.
#[derive(clap::Args)]
pub struct Load {
    /// Who is asked
    #[arg(long)]
    pub to: SocketAddr,
    /// The requests, each with its length before it
    #[arg(long)]
    pub frames: PathBuf,
    /// Connections, each with one request under way
    #[arg(long)]
    pub connections: usize,
    /// Goes round the requests for so long; without it each is sent once
    #[arg(long)]
    pub seconds: Option<f64>,
}

/// The carrier.
#[derive(clap::Args)]
pub struct Carrier {
    /// The account
    #[arg(long)]
    pub account: String,
    /// The account's token
    #[arg(long)]
    pub token: String,
    /// Connections over which it calls back; 0: it never does
    #[arg(long)]
    pub callers: usize,
}
