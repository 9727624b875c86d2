//! redial inside a program of yours: its routes under a prefix beside your own, and its engine called directly. Runs
//! against the simulated carrier, which phones nobody: `cargo run -p server --example embed`. A test runs it, too.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use carrier_twilio::Twilio;
use domain::Rate;
use domain::retry::RetryOn;
use domain::{Call, MachineDetection, Policy, Request, Rules, Script, UserId};
use engine::clock::SystemClock;
use engine::dice::SystemDice;
use engine::{Engine, Parts, Taken};
use secrecy::SecretString;
use store_sqlite::{Purpose, SqliteStore};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Where redial's routes lie in this program.
pub const PREFIX: &str = "/phone";
const ACCOUNT: &str = "AC000000000000000000000000000000b0";
const TOKEN: &str = "an-invented-token";

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let program = Program::start(folder.path()).await?;
    println!("look: {}{PREFIX}/docs", program.address);
    let call = program.ring_ada().await?;
    println!("{} attempts, {}", call.attempts.len(), call.status().word());
    program.stop().await;
    Ok(())
}

/// The whole program, while it runs.
pub struct Program {
    /// Where it listens.
    pub address: String,
    /// Its own routes, and redial's.
    pub routes: Router,
    engine: Engine,
    stop: CancellationToken,
}

impl Program {
    /// Starts a simulated carrier, the engine, and the server over both kinds of routes.
    pub async fn start(folder: &Path) -> Result<Program, Failure> {
        let stop = CancellationToken::new();
        let carrier = start_carrier(&stop).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);

        let engine = engine(folder, &carrier, &address)?;
        engine.recover().await?;
        engine.start();

        let routes = Router::new()
            .route("/", get(|| async { "the program's own page" }))
            .nest(PREFIX, server::router(engine.clone(), server::Options::default()));
        tokio::spawn(server::serve(
            listener,
            routes.clone(),
            stop.clone().cancelled_owned(),
        ));
        Ok(Program {
            address,
            routes,
            engine,
            stop,
        })
    }

    /// Has somebody called without HTTP, and waits for the end: busy twice, then answered.
    pub async fn ring_ada(&self) -> Result<Call, Failure> {
        let user = UserId::new("ada").ok_or("a short word is a name")?;
        let mut changes = self.engine.feed();
        let request = Request {
            user_id: user.clone(),
            to: "+15551230104".parse()?,
            from: "+15550001111".parse()?,
            script: Some(Script::Say {
                message: "Your taxi is here.".to_owned(),
                language: None,
                voice: None,
            }),
            policy: self.engine.settings().policy.clone(),
            scheduled_at: None,
            given: None,
        };
        // The second argument is an idempotency key, for requests that may come twice.
        let Taken::Call(call) = self.engine.request(request, None).await? else {
            return Err("without a key no other request can have it".into());
        };
        while !changes
            .recv()
            .await
            .is_ok_and(|change| change.id == call.id && change.is_over())
        {}
        let record = self.engine.record(&user, call.id).await?;
        Ok(record.ok_or("what was taken is kept")?.call)
    }

    /// Lets what is under way come to its end.
    pub async fn stop(self) {
        self.stop.cancel();
        self.engine.stop().await;
    }
}

/// Store, carrier, clock and chance: what an engine is made of.
fn engine(folder: &Path, carrier: &str, address: &str) -> Result<Engine, Failure> {
    let at_once = Purpose::Dial { wait: Duration::ZERO };
    let carrier = Twilio::new(carrier_twilio::Settings {
        account_sid: ACCOUNT.to_owned(),
        auth_tokens: vec![SecretString::from(TOKEN)],
        api_key: None,
        api_address: carrier.to_owned(),
        // With the prefix: this is the address that the carrier calls, and signs.
        public_address: format!("{address}{PREFIX}"),
        inline_only: false,
        verbs: vec!["Say".to_owned(), "Hangup".to_owned()],
    })?;
    Ok(Engine::new(Parts {
        store: Arc::new(SqliteStore::open(&folder.join("calls.db"), at_once)?),
        carrier: Arc::new(carrier),
        clock: Arc::new(SystemClock),
        dice: Arc::new(SystemDice::new()),
        settings: settings(),
    }))
}

/// The operator's decisions, here with short delays to watch.
fn settings() -> engine::Settings {
    let seconds = Duration::from_secs;
    engine::Settings {
        policy: Policy {
            max_attempts: 3,
            retry_delays: vec![Duration::from_millis(100)],
            retry_on: RetryOn::default(),
            ring_timeout: seconds(60),
            time_limit: seconds(14_400),
            give_up_after: seconds(86_400),
            machine_detection: MachineDetection::Off,
        },
        script: Script::Say {
            message: "This is an automated call. Goodbye.".to_owned(),
            language: None,
            voice: None,
        },
        rules: Rules {
            settle_after: seconds(120),
            silence_after: seconds(120),
            stop_on_unconfirmed: false,
            poll: false,
        },
        rate: Rate {
            per_second: 100.0,
            burst: 100,
        },
        max_live: None,
    }
}

/// A carrier of this process, sixty times as fast as life.
async fn start_carrier(stop: &CancellationToken) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let options = sim::Options {
        account_sid: ACCOUNT.to_owned(),
        auth_token: TOKEN.to_owned(),
        speed: 60.0,
        ..sim::Options::default()
    };
    tokio::spawn(sim::serve(listener, options, stop.clone().cancelled_owned()));
    Ok(address)
}
