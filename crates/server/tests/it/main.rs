//! The HTTP side over a real engine, a store in memory and a carrier that does as it is told. Each
//! test has a world of its own; nothing is sent over a network but in `sockets`.

mod auth;
mod callbacks;
mod carrier;
mod clock;
mod create;
mod docs;
mod embed;
mod health;
mod hostile;
mod list;
mod overload;
mod postman;
mod record;
mod repeat;
mod sockets;
mod store;
mod world;
