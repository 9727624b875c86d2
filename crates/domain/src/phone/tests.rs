//! What is a number, and that it never shows itself.

use super::*;

#[test]
fn numbers_of_8_to_15_digits_are_taken() {
    for text in ["+12345678", "+15551230100", "+123456789012345"] {
        assert_eq!(
            text.parse::<Phone>().map(|p| p.reveal().to_owned()),
            Ok(text.to_owned())
        );
    }
}

#[test]
fn anything_else_is_refused() {
    let odd = [
        "",
        "+",
        "15551230100",
        "+05551230100",
        "+1234567",
        "+1234567890123456",
        "+1 555 123 0100",
    ];
    for text in odd.into_iter().chain([
        "+1555123010a",
        "+１５５５１２３０１００",
        "tel:+15551230100",
        "+1-5551230100",
        "++15551230",
    ]) {
        assert_eq!(text.parse::<Phone>(), Err(NotAPhone), "{text}");
    }
}

#[test]
fn a_number_is_masked_wherever_it_is_shown() {
    let phone: Phone = "+15551230100".parse().expect("a number");
    assert_eq!(format!("{phone} {phone:?}"), "+15*******00 +15*******00");
}

#[test]
fn numbers_in_somebody_elses_words_are_masked_and_nothing_else_is() {
    let words = "The number +15005550001 is not valid; 1+1 is 2, + and +0 and +123 stay";
    assert_eq!(
        masked(words),
        "The number +15*******01 is not valid; 1+1 is 2, + and +0 and +123 stay"
    );
    assert_eq!(masked("+15551230100+15551230101"), "+15*******00+15*******01");
}
