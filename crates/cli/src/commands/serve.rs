//! `redial serve`: takes calls over HTTP and dials them.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::ArgMatches;
use store::StoreError;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Usage, configured, runtime};
use crate::config::Config;
use crate::supervisor::Supervisor;
use crate::{logging, output, wiring};

/// A second server on one database waits this long for the first to end: a restart's overlap.
const WAIT_FOR_LOCK: Duration = Duration::from_secs(10);

/// Serves until told to stop.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (settings, config) = configured(flags)?;
    logging::start(
        settings.get("log").unwrap_or_default(),
        settings.get("log_format").unwrap_or_default(),
    )
    .map_err(|error| error.context(Usage))?;
    runtime()?.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    allow_many_files();
    wiring::check_account(&config)?;
    if config.api_keys.is_empty() {
        server::keyless_is_safe(config.listen, &wiring::base_url(&config)).map_err(anyhow::Error::msg)?;
    }
    let store = match wiring::open_store(&config, Duration::ZERO).await {
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::Held(_))) => {
            output::say(format_args!(
                "{error}; waiting up to {} s for it to end",
                WAIT_FOR_LOCK.as_secs()
            ));
            wiring::open_store(&config, WAIT_FOR_LOCK)
                .await
                .context("one server at a time dials from one database; stop the other, or give this one its own DATABASE_URL")?
        }
        other => other?,
    };
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "{} cannot be listened on; is another program using it?",
            config.listen
        )
    })?;
    let listen = listener.local_addr()?;
    let base_url = config
        .base_url
        .clone()
        .unwrap_or_else(|| format!("http://{listen}"));
    let carrier = wiring::carrier(&config, &base_url, false).map_err(|error| error.context(Usage))?;
    let engine = wiring::engine(&config, store, carrier).map_err(|error| error.context(Usage))?;
    engine.recover().await.context("the database cannot be read")?;
    if config.script_is_default {
        tracing::warn!(
            "calls that bring no message of their own say only \"{}\"; set REDIAL_MESSAGE",
            "This is an automated call. Goodbye."
        );
    }
    if !engine.carrier().calls_back() {
        tracing::warn!(
            "the carrier cannot reach {base_url}: documents go along with each dial, and live calls are watched by asking; set BASE_URL for callbacks"
        );
    }
    // Before anybody can know that there is something to stop.
    let asked_to_stop = shutdown();
    engine.start();
    let options = server::Options {
        api_keys: config.api_keys,
        say_language: config.say_language,
        say_voice: config.say_voice,
        ..server::Options::default()
    };
    let router = server::router(engine.clone(), options);
    output::say(format_args!("listening on http://{listen}"));
    let supervisor = Supervisor::find(|name| std::env::var(name).ok());
    supervisor.ready(&format!("listening on http://{listen}"));
    let stop = async {
        asked_to_stop.await;
        supervisor.stopping();
    };
    let served = tokio::select! {
        served = server::serve(listener, router, stop) => served,
        never = supervisor.watch(|| engine.health()) => match never {},
    };
    tracing::info!("stopping: requests to the carrier that are under way get a few seconds");
    engine.stop().await;
    served.context("the server failed")?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the process hold as many connections as the system lets it: the usual soft limit is for
/// programs of another age.
fn allow_many_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised) {
        tracing::warn!(
            "at most {:?} files and connections at once: {error}",
            limit.current
        );
    }
}

/// Over when the process is asked to stop, as Ctrl-C and service managers do. From the call on, and not
/// only once it is waited for, being asked does not end the process at once.
pub fn shutdown() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
