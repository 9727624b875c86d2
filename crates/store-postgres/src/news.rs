//! Hints between processes: that a call is due, or that something was decided about all dialling. Each
//! may be lost; whoever is told nothing looks all the same, a little later. So nothing is waited for,
//! and a server that cannot pass them on (a pooler stands before it) is only slower.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use crate::connect::{Config, Query, values};
use crate::lock;
use store::News;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_postgres::AsyncMessage;

/// The channel's name.
const CHANNEL: &str = "redial";

/// A connection that was lost is replaced after this long.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Tells the other processes; sent with the COMMIT of the transaction.
pub(crate) fn tell(what: News, node: i64) -> Query {
    let text = format!("{} {node}", word(what));
    Query::new(format!("SELECT pg_notify('{CHANNEL}', $1)"), values![text])
}

fn word(what: News) -> &'static str {
    match what {
        News::Due => "due",
        News::Dialling => "dialling",
    }
}

/// A start does not wait longer until it listens: others only believe this process alive for a while
/// then, instead of seeing when it ends.
const LISTENS_WITHIN: Duration = Duration::from_secs(2);

/// Hears what other processes tell, and shows them that this one is there, until it is dropped.
pub(crate) struct Ear {
    heard: Arc<Heard>,
    /// Nobody can be heard through a pooler.
    listening: Option<AbortHandle>,
}

#[derive(Default)]
struct Heard {
    due: Notify,
    dialling: Notify,
    /// The first try to listen has ended, well or not.
    tried: Notify,
}

impl Heard {
    fn hear(&self, what: News) {
        match what {
            News::Due => self.due.notify_one(),
            News::Dialling => self.dialling.notify_one(),
        }
    }
}

impl Ear {
    /// Begins to listen, on a connection of its own, and to hold the lock that ends with it.
    pub(crate) async fn open(config: Config, node: i64) -> Ear {
        let heard = Arc::new(Heard::default());
        let is_pooled = config.is_pooled();
        let listening = || tokio::spawn(listen(config, node, Arc::clone(&heard))).abort_handle();
        let listening = (!is_pooled).then(listening);
        if listening.is_some() {
            let _ = tokio::time::timeout(LISTENS_WITHIN, heard.tried.notified()).await;
        }
        Ear { heard, listening }
    }

    pub(crate) async fn news(&self) -> News {
        tokio::select! {
            () = self.heard.due.notified() => News::Due,
            () = self.heard.dialling.notified() => News::Dialling,
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

async fn listen(config: Config, node: i64, heard: Arc<Heard>) {
    loop {
        if let Err(error) = hear(&config, node, &heard).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "not listening");
        }
        heard.tried.notify_one();
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// Listens until the connection ends.
async fn hear(config: &Config, node: i64, heard: &Heard) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = config.connect().await?;
    let listen = format!("{}; LISTEN {CHANNEL}", lock::be_present(node));
    let mut asked = std::pin::pin!(client.batch_execute(&listen));
    let mut is_asking = true;
    loop {
        let message = tokio::select! {
            done = &mut asked, if is_asking => {
                done?;
                is_asking = false;
                heard.tried.notify_one();
                // Whatever was told while nobody listened.
                [News::Due, News::Dialling].into_iter().for_each(|what| heard.hear(what));
                continue;
            }
            message = poll_fn(|cx| connection.poll_message(cx)) => message,
        };
        match message.transpose()? {
            Some(AsyncMessage::Notification(told)) => {
                let (what, who) = told.payload().split_once(' ').unwrap_or_default();
                let what = [News::Due, News::Dialling]
                    .into_iter()
                    .find(|it| word(*it) == what);
                if let Some(what) = what.filter(|_| who != node.to_string()) {
                    heard.hear(what);
                }
            }
            Some(_) => {}
            None => return Ok(()),
        }
    }
}
