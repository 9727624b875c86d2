//! The carrier's side of calling back: a few connections, each of which tells the whole life of one leg after the
//! other. Called by the exchange for every leg that it makes.

use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Exchange;
use crate::failure::Failure;
use crate::forms::{self, EVENTS, Leg};
use crate::{clock, head};

/// A leg whose life is to be reported.
pub struct Life {
    pub sid: String,
    pub to: String,
    pub from: String,
    pub status_callback: String,
    pub url: String,
}

/// The event before which the carrier asks what to say: the leg was answered.
const ANSWERED: usize = 2;

/// Starts so many callers, which live as long as the queue.
pub fn start(exchange: &Rc<Exchange>, callers: usize, queue: UnboundedReceiver<Life>) {
    let queue = Rc::new(Mutex::new(queue));
    for _ in 0..callers {
        let (exchange, queue) = (Rc::clone(exchange), Rc::clone(&queue));
        tokio::task::spawn_local(async move {
            let mut line = None;
            loop {
                let next = queue.lock().await.recv().await;
                let Some(life) = next else { return };
                if let Err(failure) = report(&exchange, &life, &mut line).await {
                    eprintln!("a life could not be reported: {failure}");
                    exchange.ledger.borrow_mut().refused += 1;
                    line = None;
                }
            }
        });
    }
}

/// Everything that happens to one leg, in order, each told once the one before was answered.
async fn report(exchange: &Exchange, life: &Life, line: &mut Option<TcpStream>) -> Result<(), Failure> {
    let leg = Leg {
        account: &exchange.account,
        sid: &life.sid,
        from: &life.from,
        to: &life.to,
    };
    let (host, status_target) = place(&life.status_callback)?;
    let (_, voice_target) = place(&life.url)?;
    let mut stream = match line.take() {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(host).await?;
            stream.set_nodelay(true)?;
            stream
        }
    };
    for event in 0..EVENTS.len() {
        if event == ANSWERED {
            let frame = forms::question(host, voice_target, &exchange.token, &leg);
            ask(exchange, &mut stream, &frame).await?;
        }
        let frame = forms::status(
            host,
            status_target,
            &exchange.token,
            &leg,
            event,
            &exchange.date(),
        );
        ask(exchange, &mut stream, &frame).await?;
    }
    *line = Some(stream);
    let mut ledger = exchange.ledger.borrow_mut();
    ledger.ended += 1;
    ledger.last_ended_us = clock::micros();
    Ok(())
}

async fn ask(exchange: &Exchange, stream: &mut TcpStream, frame: &[u8]) -> Result<(), Failure> {
    stream.write_all(frame).await?;
    let mut buffer = Vec::with_capacity(1_024);
    while head::message(&buffer).is_none() {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err("the server closed a connection".into());
        }
    }
    if head::status(&buffer) != Some(200) {
        exchange.ledger.borrow_mut().refused += 1;
    }
    Ok(())
}

/// Host, and path with query but without fragment, of an address.
fn place(url: &str) -> Result<(&str, &str), Failure> {
    let url = url.split('#').next().unwrap_or_default();
    let rest = url.strip_prefix("http://").ok_or("not an http address")?;
    let at = rest.find('/').ok_or("an address without a path")?;
    Ok(rest.split_at(at))
}
