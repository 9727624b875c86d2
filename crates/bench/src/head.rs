//! As much of HTTP/1.1 as two programs need that only ever talk to known partners: where a message ends, and what
//! its first line says. It must not be used on anything from outside.

/// A message that has come whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Where its body begins.
    pub body_at: usize,
    /// Bytes in all.
    pub length: usize,
}

/// The message at the beginning of `bytes`; `None` while it is not whole. Bodies have a length or there is none.
pub fn message(bytes: &[u8]) -> Option<Message> {
    let body_at = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let length = body_at + body_length(&bytes[..body_at]);
    (bytes.len() >= length).then_some(Message { body_at, length })
}

fn body_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let mut lines = head.split(|&byte| byte == b'\n');
    let line = lines.find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME));
    let value = line.and_then(|line| std::str::from_utf8(&line[NAME.len()..]).ok());
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

/// The status of an answer.
pub fn status(bytes: &[u8]) -> Option<u16> {
    std::str::from_utf8(bytes.get(9..12)?).ok()?.parse().ok()
}

/// Method and target of a request.
pub fn request_line(bytes: &[u8]) -> Option<(&str, &str)> {
    let end = bytes.iter().position(|&byte| byte == b'\r')?;
    let mut words = std::str::from_utf8(&bytes[..end]).ok()?.split(' ');
    Some((words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    //! Whole, not yet whole, without a body.

    use super::*;

    #[test]
    fn a_message_ends_where_its_length_says() {
        let text = b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(
            message(text),
            Some(Message {
                body_at: text.len() - 5,
                length: text.len()
            })
        );
        assert_eq!(message(&text[..text.len() - 1]), None);
        assert_eq!(message(&text[..20]), None);
        assert_eq!(status(text), Some(202));
    }

    #[test]
    fn a_message_without_a_length_ends_with_its_head() {
        let text = b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
        assert_eq!(
            message(text),
            Some(Message {
                body_at: text.len(),
                length: text.len()
            })
        );
        assert_eq!(request_line(text), Some(("GET", "/hello")));
    }
}
