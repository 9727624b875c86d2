//! `redial demo`: the whole product in one process, with invented people. Reads no environment, no
//! settings file and no database of anybody's; its carrier is its own simulator, on an account that is
//! made up on the spot, so that it cannot phone anybody.

mod people;
mod story;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::ArgMatches;
use engine::dice::{Dice as _, SystemDice};
use engine::{Engine, Taken};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::runtime;
use crate::commands::serve::shutdown;
use crate::config::Config;
use crate::settings::Settings;
use crate::{output, wiring};
use story::Story;

/// Rings and talks are this much shorter than life: everybody's story ends within a minute or so.
const SPEED: f64 = 12.0;
/// Requests for calls under way at once.
const ASKING_AT_ONCE: usize = 100;

/// Runs until everybody has been called and Ctrl-C is pressed (or stdout is no terminal).
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let calls = flags.get_one::<u32>("calls").copied().unwrap_or_default();
    let listen = flags.get_one::<String>("listen").cloned().unwrap_or_default();
    let listen: SocketAddr = listen
        .parse()
        .with_context(|| format!("--listen is `{listen}`: must be an address and a port"))?;
    anyhow::ensure!(
        listen.ip().is_loopback(),
        "--listen is `{listen}`: the demo has no keys and shows itself to this machine only"
    );
    runtime()?.block_on(demo(calls, listen))
}

async fn demo(calls: u32, listen: SocketAddr) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let stop = CancellationToken::new();
    let carrier = start_carrier(&stop).await?;
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        // Somebody's own server may be running: any other port will do.
        Err(_) => TcpListener::bind((listen.ip(), 0))
            .await
            .context("no port can be listened on")?,
    };
    let address = format!("http://{}", listener.local_addr()?);
    let config = Config::read(&settings(
        &folder.path().join("demo.db").display().to_string(),
        &carrier,
    ))?;
    let store = wiring::open_store(&config, Duration::ZERO).await?;
    let engine = wiring::engine(&config, store, wiring::carrier(&config, &address, false)?)?;
    engine.recover().await?;
    engine.start();
    let router = server::router(engine.clone(), server::Options::default());
    let served = tokio::spawn(server::serve(listener, router, stop.clone().cancelled_owned()));

    output::say(format_args!(
        "{calls} invented people are called through a simulated carrier; nobody's phone rings."
    ));
    output::say(format_args!(
        "look: {address}/users/demo/calls   metrics: {address}/metrics   stop: Ctrl-C\n"
    ));
    let story = Story::new(calls, address);
    let asking = tokio::spawn(ask(engine.clone(), calls));
    tokio::select! {
        () = story.tell(engine.feed()) => {}
        () = shutdown() => {}
    }
    story.totals();
    asking.abort();
    stop.cancel();
    engine.stop().await;
    // It ends with the token; how is of no matter here.
    let _ = served.await;
    Ok(ExitCode::SUCCESS)
}

/// Starts the simulated carrier and returns its account and address.
async fn start_carrier(stop: &CancellationToken) -> anyhow::Result<Account> {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("no port can be listened on")?;
    let base = format!("http://{}", listener.local_addr()?);
    let dice = SystemDice::new();
    let token = format!("{:016x}{:016x}", dice.throw(), dice.throw());
    let account = Account {
        sid: format!("AC{:016x}{:016x}", 0, dice.throw()),
        token,
        base,
    };
    let options = sim::Options {
        account_sid: account.sid.clone(),
        auth_token: account.token.clone(),
        speed: SPEED,
        ..sim::Options::default()
    };
    tokio::spawn(sim::serve(listener, options, stop.clone().cancelled_owned()));
    Ok(account)
}

/// An account that exists nowhere else.
struct Account {
    sid: String,
    token: String,
    base: String,
}

/// The defaults, made short enough to watch.
fn settings(database: &str, carrier: &Account) -> Settings {
    let settings = [
        ("retry_delays", "2s,5s,10s"),
        ("cps", "50"),
        ("settle_after", "4s"),
        ("silence_after", "3s"),
        ("message", "This is a demonstration of redial. Goodbye."),
    ];
    settings
        .into_iter()
        .fold(Settings::defaults(), |all, (key, value)| all.with(key, value))
        .with("database_url", format!("sqlite:{database}"))
        .with("twilio_account_sid", &carrier.sid)
        .with("twilio_auth_token", &carrier.token)
        .with("twilio_api_base", &carrier.base)
}

/// Asks for all calls, as a program would, many at once.
async fn ask(engine: Engine, calls: u32) {
    let places = Arc::new(tokio::sync::Semaphore::new(ASKING_AT_ONCE));
    for number in 0..calls {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let engine = engine.clone();
        tokio::spawn(async move {
            let request = people::request(number, &engine.settings().policy);
            match engine.request(request, None).await {
                Ok(Taken::Call(_) | Taken::KeyTaken) => {}
                Err(error) => output::say(format_args!("a call was not taken: {error}")),
            }
            drop(place);
        });
    }
}
