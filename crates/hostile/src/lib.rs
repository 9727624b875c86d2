//! Nothing but tests: whatever strangers can send is made up by the thousand, and has to end in words.
//!
//! Each target takes a second or two with everything else; `PROPTEST_CASES=1000000` makes it run for hours. A failure is
//! made as small as can be before it is shown.
