//! Which of the address's servers is asked first for a new connection, and when the next one is.
//!
//! The driver asks one after the other, always from the first on, and waits for each until its time is
//! up: a host that is gone would cost every new connection seconds, just when all of them are made
//! anew. Here the one that was right last is asked first, and while one is silent the next is asked
//! beside it. Called by whoever needs a connection.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Connect;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Error, Socket};

use super::address::Config;
use super::tls::Tls;

/// A server that has not let anybody in for so long is not the only one asked any more: several round
/// trips between neighbours, and less than whoever waits for a call to be taken notices.
const NEXT_AFTER: Duration = Duration::from_millis(500);

/// Where there are several, one that is gone is given up after this long, a repeated packet included, and
/// one that hangs when the others have refused; so that all of them are soon asked again: one that
/// refused may be the primary by then.
const ONE_WITHIN: Duration = Duration::from_secs(2);

/// A connection, and what must be driven for it to work.
type Connected = (
    Client,
    Connection<Socket, <Tls as MakeTlsConnect<Socket>>::Stream>,
);

/// Which of the servers let somebody in last. All connections of a store share it.
#[derive(Debug, Default)]
pub(super) struct Last(AtomicUsize);

impl Config {
    /// Connects to the first server that will do.
    ///
    /// # Errors
    /// What one of them said last, if none will.
    pub(crate) async fn connect(&self) -> Result<Connected, Error> {
        let many = self.hosts().len().max(self.driver.get_hostaddrs().len()).max(1);
        let first = self.last.0.load(Ordering::Relaxed) % many;
        let mut others = (0..many).map(|turn| (first + turn) % many);
        let mut asked = FuturesUnordered::new();
        let mut said = None;
        loop {
            if let Some(host) = others.next() {
                let mut driver = only(&self.driver, host);
                if many > 1 {
                    driver.connect_timeout(ONE_WITHIN);
                }
                let tls = self.tls.clone();
                asked.push(async move { (host, driver.connect(tls).await) });
            }
            let is_last = others.len() == 0;
            let patience = if is_last { ONE_WITHIN } else { NEXT_AFTER };
            tokio::select! {
                biased;
                Some((host, answer)) = asked.next() => match answer {
                    Ok(connected) => {
                        self.last.0.store(host, Ordering::Relaxed);
                        return Ok(connected);
                    }
                    Err(error) if is_last && asked.is_empty() => return Err(error),
                    Err(error) => said = Some(error),
                },
                () = tokio::time::sleep(patience), if !is_last || said.is_some() => {
                    if let Some(error) = said.take_if(|_| is_last) {
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// Connects for the pool, which drives each connection in a task of its own.
impl Connect for Config {
    fn connect(
        &self,
        _: &tokio_postgres::Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(async move {
            let (client, connection) = Config::connect(self).await?;
            let driven = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "a connection to the database ended"
                    );
                }
            });
            Ok((client, driven))
        })
    }
}

/// The same settings, for one of the servers. The driver has no other way to leave the rest out.
fn only(all: &tokio_postgres::Config, host: usize) -> tokio_postgres::Config {
    let mut one = tokio_postgres::Config::new();
    match all.get_hosts().get(host) {
        Some(tokio_postgres::config::Host::Tcp(name)) => drop(one.host(name)),
        Some(tokio_postgres::config::Host::Unix(path)) => drop(one.host_path(path)),
        None => {}
    }
    all.get_hostaddrs().get(host).map(|at| one.hostaddr(*at));
    let ports = all.get_ports();
    ports.get(host).or(ports.first()).map(|port| one.port(*port));
    all.get_user().map(|it| one.user(it));
    all.get_password().map(|it| one.password(it));
    all.get_dbname().map(|it| one.dbname(it));
    all.get_options().map(|it| one.options(it));
    all.get_application_name().map(|it| one.application_name(it));
    all.get_connect_timeout().map(|it| one.connect_timeout(*it));
    all.get_tcp_user_timeout().map(|it| one.tcp_user_timeout(*it));
    all.get_keepalives_interval()
        .map(|it| one.keepalives_interval(it));
    all.get_keepalives_retries().map(|it| one.keepalives_retries(it));
    one.keepalives(all.get_keepalives())
        .keepalives_idle(all.get_keepalives_idle())
        .ssl_mode(all.get_ssl_mode())
        .ssl_negotiation(all.get_ssl_negotiation())
        .channel_binding(all.get_channel_binding())
        .target_session_attrs(all.get_target_session_attrs());
    one
}

#[cfg(test)]
mod tests;
