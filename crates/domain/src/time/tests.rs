//! Written forms of moments and durations.

use super::*;

#[test]
fn a_moment_is_written_with_milliseconds_and_z() {
    assert_eq!(
        Timestamp::from_millis(1_795_341_600_000).to_string(),
        "2026-11-22T10:00:00.000Z"
    );
    assert_eq!(Timestamp::from_millis(7).to_string(), "1970-01-01T00:00:00.007Z");
}

#[test]
fn a_moment_reads_back() {
    let at = Timestamp::from_millis(1_795_341_600_123);
    assert_eq!(at.to_string().parse(), Ok(at));
    assert_eq!("2026-11-22T11:00:00.123+01:00".parse(), Ok(at));
    assert_eq!("tomorrow".parse::<Timestamp>(), Err(NotATime));
    assert_eq!("2026-11-22T10:00:00".parse::<Timestamp>(), Err(NotATime));
}

#[test]
fn the_carriers_dates_are_read() {
    let at = Timestamp::from_rfc2822("Tue, 31 Aug 2010 20:36:28 +0000").expect("a date as carriers write it");
    assert_eq!(at.to_string(), "2010-08-31T20:36:28.000Z");
    assert_eq!(
        Timestamp::from_rfc2822("Sun, 22 Nov 2026 10:00:00 GMT").map(Timestamp::millis),
        Some(1_795_341_600_000)
    );
    assert_eq!(Timestamp::from_rfc2822("soon"), None);
}

#[test]
fn durations_read_and_write_alike() {
    for (text, millis) in [
        ("500ms", 500),
        ("2m", 120_000),
        ("90", 90_000),
        ("24h", 86_400_000),
        ("90d", 7_776_000_000),
    ] {
        let gap = parse_duration(text).expect(text);
        assert_eq!(gap, Duration::from_millis(millis), "{text}");
        assert_eq!(parse_duration(&show_duration(gap)), Ok(gap));
    }
    for text in [
        "",
        "m",
        "-1s",
        "1.5h",
        "2 weeks",
        "99999999999999999999s",
        "99999d",
    ] {
        assert_eq!(parse_duration(text), Err(NotADuration), "{text}");
    }
}
