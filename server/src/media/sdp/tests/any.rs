//! Whatever text is offered.

use proptest::prelude::*;

use super::*;

/// What was answered can be answered again: our own text parses, and no client word reaches it as a line of its own.
fn sound(offer: &str) {
    let Ok(Answered { text, negotiated }) = first(offer) else { return };
    assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
    let lines = text.split("\r\n").filter(|line| line.starts_with("m=")).count();
    assert_eq!(lines, negotiated.lines.len());
    let again = after(offer, Some(&negotiated), 9).expect("the same offer goes on");
    assert_eq!(again.negotiated.plan, negotiated.plan);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_answered_or_refused(text in "\\PC{0,2000}") {
        sound(&text);
    }

    #[test]
    fn any_change_of_bytes_is_answered_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..6),
        firefox_like in any::<bool>(),
    ) {
        let mut text: Vec<char> = if firefox_like { firefox() } else { CHROMIUM.to_owned() }.chars().collect();
        for (at, to) in changes {
            let place = at.index(text.len());
            text[place] = to;
        }
        sound(&text.into_iter().collect::<String>());
    }

    #[test]
    fn any_change_of_lines_is_answered_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..4), 1..12),
        firefox_like in any::<bool>(),
    ) {
        let text = if firefox_like { firefox() } else { CHROMIUM.to_owned() };
        let mut lines: Vec<&str> = text.lines().collect();
        for (from, to, how) in changes {
            if lines.is_empty() { break; }
            let (from, to) = (from.index(lines.len()), to.index(lines.len()));
            match how {
                0 => { lines.remove(from); }
                1 => lines.insert(to, lines[from]),
                2 => lines.swap(from, to),
                _ => lines[to] = &lines[to][..lines[to].floor_char_boundary(lines[to].len() / 2)],
            }
        }
        sound(&lines.join("\r\n"));
    }
}
