//! Finds the documents in the bytes of an export: one a line, or one array, pretty-printed or not.
//!
//! It counts braces outside of texts and parses nothing, so that a document of any form is handed on
//! whole, and one that is broken costs itself alone. Memory is bounded by the longest document.

use crate::Broken;

/// Longest document taken, in bytes: the database that exported it takes no longer ones, and a call
/// has some hundred.
const LONGEST: usize = 16 * 1024 * 1024;

/// How much is shown of a text that is no document, in bytes.
const SHOWN: usize = 40;

/// A document, or what stands in the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Its first line, from 1.
    pub line: u64,
    content: Content<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content<'a> {
    Document(&'a [u8]),
    Stray(&'a [u8]),
    TooLong,
}

impl<'a> Piece<'a> {
    /// The text from `{` on.
    ///
    /// # Errors
    /// [`Broken`] when this is no document.
    pub fn document(&self) -> Result<&'a [u8], Broken> {
        let why = match self.content {
            Content::Document(text) => return Ok(text),
            Content::Stray(text) => {
                let text = domain::phone::masked(&String::from_utf8_lossy(text));
                format!("not a JSON document: it begins with `{text}`")
            }
            Content::TooLong => format!("a document of more than {} MiB", LONGEST >> 20),
        };
        Err(Broken { line: self.line, why })
    }
}

/// Takes an export in portions of any size and hands on its documents one by one.
#[derive(Debug)]
pub struct Splitter {
    line: u64,
    /// White space at the beginning of this line, while there is nothing else on it.
    indent: usize,
    is_blank: bool,
    /// What has been read of this export is only white space and byte order mark.
    is_untouched: bool,
    /// The whole is an array: what is no document ends at a comma too.
    is_array: bool,
    place: Place,
    held: Vec<u8>,
    /// Where what is held began.
    first_line: u64,
    first_indent: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    Document(Open),
    Stray,
}

/// How far a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    depth: u32,
    text: Text,
    too_long: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// The next character is part of the text, whatever it is.
    Escaped,
}

impl Open {
    fn after(self, byte: u8) -> Open {
        let text = match (self.text, byte) {
            // A text ends on its line: where it does not, a quotation mark is missing.
            (_, b'\n') | (Text::Inside, b'"') => Text::Outside,
            (Text::Inside, b'\\') => Text::Escaped,
            (Text::Inside | Text::Escaped, _) | (Text::Outside, b'"') => Text::Inside,
            (Text::Outside, _) => Text::Outside,
        };
        let depth = match (text, byte) {
            (Text::Outside, b'{') => self.depth + 1,
            (Text::Outside, b'}') => self.depth - 1,
            _ => self.depth,
        };
        Open { depth, text, ..self }
    }
}

impl Default for Splitter {
    fn default() -> Splitter {
        Splitter {
            line: 1,
            indent: 0,
            is_blank: true,
            is_untouched: true,
            is_array: false,
            place: Place::Between,
            held: Vec::new(),
            first_line: 1,
            first_indent: 0,
        }
    }
}

impl Splitter {
    /// Takes the next portion; calls `each` for every piece that ends in it.
    pub fn push(&mut self, portion: &[u8], each: &mut impl FnMut(Piece<'_>)) {
        let mut rest = portion;
        while let Some((&byte, after)) = self.pass_over(rest).split_first() {
            rest = after;
            self.take(byte, each);
            if byte == b'\n' {
                self.line += 1;
                self.indent = 0;
                self.is_blank = true;
            } else if self.is_blank {
                self.is_blank = byte.is_ascii_whitespace();
                self.indent += usize::from(self.is_blank);
            }
        }
    }

    /// The export ends here.
    pub fn finish(mut self, each: &mut impl FnMut(Piece<'_>)) {
        self.hand_on(each);
    }

    /// Holds, at once, what neither ends a document nor begins or ends a text; gives what follows.
    fn pass_over<'a>(&mut self, portion: &'a [u8]) -> &'a [u8] {
        let Place::Document(open) = self.place else {
            return portion;
        };
        let counts: fn(&u8) -> bool = match open.text {
            Text::Inside => |byte| matches!(byte, b'"' | b'\\' | b'\n'),
            Text::Outside => |byte| matches!(byte, b'"' | b'{' | b'}' | b'\n'),
            Text::Escaped => return portion,
        };
        let plain = portion.iter().position(counts).unwrap_or(portion.len());
        if self.is_blank || self.held.len() + plain > LONGEST {
            return portion;
        }
        let (plain, rest) = portion.split_at(plain);
        self.held.extend_from_slice(plain);
        rest
    }

    fn take(&mut self, byte: u8, each: &mut impl FnMut(Piece<'_>)) {
        match self.place {
            Place::Between => self.begin(byte),
            Place::Stray if byte == b'\n' || (self.is_array && byte == b',') => self.hand_on(each),
            Place::Stray => {
                if self.held.len() < SHOWN {
                    self.held.push(byte);
                }
            }
            Place::Document(_) if self.is_next(byte) => {
                self.hand_on(each);
                self.begin(byte);
            }
            Place::Document(open) => {
                let fits = self.held.len() < LONGEST;
                if fits {
                    self.held.push(byte);
                }
                let open = open.after(byte);
                let too_long = open.too_long || !fits;
                self.place = Place::Document(Open { too_long, ..open });
                if open.depth == 0 {
                    self.hand_on(each);
                }
            }
        }
    }

    /// Whether a new document begins although the one before has not ended: on a line of its own,
    /// indented no further than that one was. No exporter writes the inside of a document so.
    fn is_next(&self, byte: u8) -> bool {
        byte == b'{' && self.is_blank && self.line > self.first_line && self.indent <= self.first_indent
    }

    fn begin(&mut self, byte: u8) {
        const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
        if byte.is_ascii_whitespace() || (self.is_untouched && BYTE_ORDER_MARK.contains(&byte)) {
            return;
        }
        self.is_array |= self.is_untouched && byte == b'[';
        self.is_untouched = false;
        if matches!(byte, b'[' | b',' | b']') {
            return;
        }
        self.first_line = self.line;
        self.first_indent = self.indent;
        self.held.push(byte);
        self.place = if byte == b'{' {
            Place::Document(Open {
                depth: 1,
                text: Text::Outside,
                too_long: false,
            })
        } else {
            Place::Stray
        };
    }

    /// Hands on what is held, whole or not.
    fn hand_on(&mut self, each: &mut impl FnMut(Piece<'_>)) {
        let content = match self.place {
            Place::Between => return,
            Place::Stray => Content::Stray(self.held.trim_ascii_end()),
            Place::Document(Open { too_long: true, .. }) => Content::TooLong,
            Place::Document(_) => Content::Document(self.held.trim_ascii_end()),
        };
        each(Piece {
            line: self.first_line,
            content,
        });
        self.held.clear();
        self.held.shrink_to(64 * 1024);
        self.place = Place::Between;
    }
}

#[cfg(test)]
mod tests;
