//! The transport against small servers on the loopback, most of which misbehave.

use std::sync::atomic::AtomicUsize;

use http::{Method, StatusCode, header};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;

/// Far longer than anything here takes, so that a hanging test ends.
const LONG: Duration = Duration::from_secs(20);

/// Long enough for a connection on the loopback, short enough to wait for.
const SHORT: Duration = Duration::from_millis(150);

struct Door {
    open: bool,
    asked: AtomicUsize,
}

fn door(open: bool) -> Door {
    Door {
        open,
        asked: AtomicUsize::new(0),
    }
}

impl Gate for Door {
    fn is_open(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.open
    }
}

fn request() -> Request<Bytes> {
    Request::builder()
        .method(Method::POST)
        .uri("/calls?x=1")
        .header(header::HOST, "carrier.example")
        .body(Bytes::from_static(b"To=1"))
        .expect("a request")
}

async fn listen() -> (TcpListener, Socket) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("the loopback can be listened on");
    let address = listener.local_addr().expect("it has an address");
    let socket = Socket::new(&format!("http://{address}").parse().expect("an address")).expect("a socket");
    (listener, socket)
}

/// Reads until the whole request is there.
async fn take_request(stream: &mut TcpStream) -> String {
    let mut taken = Vec::new();
    while !taken.ends_with(b"\r\n\r\nTo=1") {
        let read = stream.read_buf(&mut taken).await.expect("the request arrives");
        assert_ne!(read, 0, "the request is cut: {}", String::from_utf8_lossy(&taken));
    }
    String::from_utf8(taken).expect("the request is text")
}

/// Takes one request, writes `answer`, and closes. Gives the request, and the listener for a second look.
async fn one_answer(answer: impl Into<Vec<u8>>) -> (Socket, JoinHandle<(String, TcpListener)>) {
    let (listener, socket) = listen().await;
    let answer = answer.into();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = take_request(&mut stream).await;
        // A client that has seen enough may be gone already.
        let _ = stream.write_all(&answer).await;
        (request, listener)
    });
    (socket, server)
}

async fn connect(socket: &Socket) -> Box<dyn Connection> {
    socket.connect(LONG).await.expect("a connection")
}

async fn send(socket: &Socket) -> Result<Response<Bytes>, SendError> {
    connect(socket).await.send(request(), &door(true), LONG).await
}

async fn check_in_doubt(answer: impl Into<Vec<u8>>) {
    let (socket, server) = one_answer(answer).await;
    let outcome = send(&socket).await;
    assert!(matches!(outcome, Err(SendError::InDoubt(_))), "{outcome:?}");
    server.await.expect("the server is content");
}

#[tokio::test]
async fn one_request_goes_out_and_its_whole_answer_comes_back() {
    let (socket, server) =
        one_answer("HTTP/1.1 201 Created\r\ncontent-length: 3\r\ndate: x\r\nconnection: close\r\n\r\nabc")
            .await;
    let gate = door(true);
    let answer = connect(&socket)
        .await
        .send(request(), &gate, LONG)
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["date"], "x");
    assert_eq!(answer.body().as_ref(), b"abc");
    assert_eq!(gate.asked.load(Ordering::SeqCst), 1);
    let (request, _) = server.await.expect("the server is content");
    assert!(request.starts_with("POST /calls?x=1 HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("host: carrier.example\r\n") && request.contains("content-length: 4\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn answers_in_pieces_and_answers_that_end_with_the_connection_are_read_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 500 Never read\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
    ] {
        let (socket, _server) = one_answer(answer).await;
        let outcome = send(&socket)
            .await
            .unwrap_or_else(|error| panic!("{answer}\n{error:?}"));
        assert_eq!(
            (outcome.status(), outcome.body().as_ref()),
            (StatusCode::OK, &b"abc"[..]),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_cut_after_the_request_leaves_it_in_doubt() {
    for answer in [
        "",
        "HTTP/1.1 201",
        "HTTP/1.1 201 Created\r\ncontent-length: 3\r\n",
        "HTTP/1.1 201 Created\r\ncontent-length: 3\r\n\r\n",
        "HTTP/1.1 201 Created\r\ncontent-length: 3\r\n\r\nab",
        "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
        "This is not HTTP\r\n\r\n",
    ] {
        check_in_doubt(answer).await;
    }
}

#[tokio::test]
async fn an_answer_beyond_all_measure_leaves_it_in_doubt() {
    let mut huge = b"HTTP/1.1 201 Created\r\n\r\n".to_vec();
    huge.resize(huge.len() + MOST_ANSWER_BYTES + 1, b'x');
    check_in_doubt(huge).await;
    let mut endless_head = b"HTTP/1.1 201 Created\r\nx: ".to_vec();
    endless_head.resize(endless_head.len() + 2 * MOST_HEAD_BYTES, b'x');
    check_in_doubt(endless_head).await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_it_in_doubt() {
    let (listener, socket) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        take_request(&mut stream).await;
        // Ends when the client gives up, which also shows that nothing of it stays behind.
        let _ = stream.read(&mut [0; 1]).await;
    });
    let outcome = connect(&socket).await.send(request(), &door(true), SHORT).await;
    let Err(SendError::InDoubt(why)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(why.to_string(), "no answer within 150 ms");
    tokio::time::timeout(LONG, server)
        .await
        .expect("the connection is gone")
        .expect("the server is content");
}

#[tokio::test]
async fn a_dropped_send_takes_its_connection_with_it() {
    let (listener, socket) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        take_request(&mut stream).await;
        let _ = stream.read(&mut [0; 1]).await;
    });
    let gate = door(true);
    let sending = connect(&socket).await;
    assert!(
        tokio::time::timeout(SHORT, sending.send(request(), &gate, LONG))
            .await
            .is_err()
    );
    tokio::time::timeout(LONG, server)
        .await
        .expect("the connection is gone")
        .expect("the server is content");
}

#[tokio::test]
async fn a_shut_gate_keeps_every_byte_back() {
    let (listener, socket) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut seen = Vec::new();
        let _ = stream.read_to_end(&mut seen).await;
        seen
    });
    let gate = door(false);
    let outcome = connect(&socket).await.send(request(), &gate, LONG).await;
    assert!(matches!(outcome, Err(SendError::KeptBack)), "{outcome:?}");
    assert_eq!(gate.asked.load(Ordering::SeqCst), 1);
    assert_eq!(server.await.expect("the server is content"), Vec::<u8>::new());
}

#[tokio::test]
async fn a_connection_that_broke_before_the_first_byte_was_certainly_not_used() {
    let (listener, socket) = listen().await;
    let connection = connect(&socket).await;
    let (stream, _) = listener.accept().await.expect("a connection");
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .expect("linger can be set");
    drop(stream);
    let gate = door(true);
    let outcome = connection.send(request(), &gate, LONG).await;
    assert!(matches!(outcome, Err(SendError::NotWritten(_))), "{outcome:?}");
    assert_eq!(gate.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n");
        let (socket, server) = one_answer(answer).await;
        let outcome = send(&socket).await.expect("an answer");
        assert_eq!(outcome.status().as_u16(), status);
        let (_, listener) = server.await.expect("the server is content");
        let second = listener.into_std().expect("a listener").accept();
        let nobody = second.expect_err("nobody came back");
        assert_eq!(nobody.kind(), io::ErrorKind::WouldBlock, "{status}");
    }
}

#[tokio::test]
async fn the_socket_forgets_what_was_not_delivered() {
    let (listener, _) = listen().await;
    let stream = dial(listener.local_addr().expect("an address"))
        .await
        .expect("a connection");
    let options = SockRef::from(&stream);
    assert_eq!(options.linger().expect("an option"), Some(Duration::ZERO));
    assert!(options.tcp_nodelay().expect("an option"));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    assert_eq!(
        options.tcp_user_timeout().expect("an option"),
        Some(UNACKNOWLEDGED_FOR)
    );
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let (gone, _) = listen().await;
    let gone_address = gone.local_addr().expect("an address");
    drop(gone);
    let (listener, _) = listen().await;
    let address = listener.local_addr().expect("an address");
    assert!(dial_any(&[gone_address, address]).await.is_ok());
    let refused = dial_any(&[gone_address, gone_address])
        .await
        .expect_err("nobody listens");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert!(dial_any(&[]).await.is_err());
}

#[tokio::test]
async fn where_nobody_listens_no_connection_comes_about() {
    let (listener, socket) = listen().await;
    drop(listener);
    let outcome = socket.connect(LONG).await.map(drop);
    assert!(matches!(outcome, Err(ConnectError::Refused(_))), "{outcome:?}");
}

#[test]
fn only_http_addresses_with_a_host_are_usable() {
    for bad in ["ftp://a.example", "/path", "a.example:80"] {
        let Ok(address) = bad.parse() else { continue };
        assert!(Socket::new(&address).is_err(), "{bad}");
    }
    for good in [
        "http://[::1]:8081",
        "https://[::1]",
        "https://api.example.com/laml",
        "http://10.0.0.1",
    ] {
        assert!(Socket::new(&good.parse().expect("an address")).is_ok(), "{good}");
    }
}

/// A TLS server that answers one request, and roots that trust it.
async fn secure_server(name: &str) -> (u16, RootCertStore, JoinHandle<Option<Vec<u8>>>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots
        .add(made.cert.der().clone())
        .expect("a certificate can be trusted");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("default versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key fits");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("the loopback can be listened on");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
        let mut taken = Vec::new();
        while !taken.ends_with(b"To=1") {
            if stream.read_buf(&mut taken).await.ok()? == 0 {
                return None;
            }
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await
            .ok()?;
        stream.flush().await.ok()?;
        stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
    });
    (port, roots, server)
}

fn secure(port: u16, roots: RootCertStore) -> Socket {
    let address = format!("https://localhost:{port}").parse().expect("an address");
    Socket::trusting(&address, roots).expect("a socket")
}

#[tokio::test]
async fn a_secure_exchange_speaks_http_1_1_to_whom_it_trusts() {
    let (port, roots, server) = secure_server("localhost").await;
    let answer = send(&secure(port, roots)).await.expect("an answer");
    assert_eq!(answer.body().as_ref(), b"ok");
    assert_eq!(
        server.await.expect("the server is content").as_deref(),
        Some(&b"http/1.1"[..])
    );
}

#[tokio::test]
async fn a_carrier_that_cannot_prove_its_name_is_sent_nothing() {
    let (port, _, server) = secure_server("localhost").await;
    let address = format!("https://localhost:{port}").parse().expect("an address");
    let stranger = Socket::new(&address).expect("a socket");
    let outcome = stranger.connect(LONG).await.map(drop);
    assert!(matches!(outcome, Err(ConnectError::Tls(_))), "{outcome:?}");
    assert_eq!(server.await.expect("the server is content"), None);

    let (port, roots, server) = secure_server("other.example").await;
    let outcome = secure(port, roots).connect(LONG).await.map(drop);
    assert!(matches!(outcome, Err(ConnectError::Tls(_))), "{outcome:?}");
    assert_eq!(server.await.expect("the server is content"), None);
}

#[tokio::test]
async fn a_server_without_tls_or_without_a_word_is_no_connection() {
    let (listener, _) = listen().await;
    let port = listener.local_addr().expect("an address").port();
    let socket = secure(port, RootCertStore::empty());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .expect("a client");
        listener
    });
    let outcome = socket.connect(LONG).await.map(drop);
    assert!(matches!(outcome, Err(ConnectError::Tls(_))), "{outcome:?}");

    let _silent = server.await.expect("the server is content");
    let outcome = socket.connect(SHORT).await.map(drop);
    assert!(
        matches!(outcome, Err(ConnectError::TooSlow { within: SHORT })),
        "{outcome:?}"
    );
}
