//! RTP header extensions (RFC 8285), one-byte and two-byte form.

/// The extension block of one packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extensions<'a> {
    form: Form,
    bytes: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
enum Form {
    OneByte,
    TwoByte,
}

impl<'a> Extensions<'a> {
    pub(crate) fn none() -> Self {
        Self { form: Form::OneByte, bytes: &[] }
    }

    pub(crate) fn new(profile: u16, bytes: &'a [u8]) -> Self {
        match profile {
            0xbede => Self { form: Form::OneByte, bytes },
            // The lower 4 bits are the application's.
            0x1000..=0x100f => Self { form: Form::TwoByte, bytes },
            _ => Self::none(),
        }
    }

    /// The value under this id, if the packet has it.
    pub(crate) fn find(&self, id: Option<u8>) -> Option<&'a [u8]> {
        let id = id?;
        let mut rest = self.bytes;
        loop {
            let (&first, after) = rest.split_first()?;
            if first == 0 {
                rest = after;
                continue;
            }
            let (found, len, body) = match self.form {
                // Id 15 ends the block (RFC 8285 §4.2).
                Form::OneByte if first >> 4 == 15 => return None,
                Form::OneByte => (first >> 4, usize::from(first & 0x0f) + 1, after),
                Form::TwoByte => {
                    let (&len, body) = after.split_first()?;
                    (first, usize::from(len), body)
                }
            };
            let (value, next) = body.split_at_checked(len)?;
            if found == id {
                return Some(value);
            }
            rest = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_a_truncated_one_ends() {
        let one = Extensions::new(0xbede, &[0x10, 7, 0, 0x21, 1, 2, 0xf0, 0x30, 9]);
        assert_eq!(one.find(Some(1)), Some([7].as_slice()));
        assert_eq!(one.find(Some(2)), Some([1, 2].as_slice()));
        assert_eq!(one.find(Some(3)), None);
        assert_eq!(one.find(None), None);

        let two = Extensions::new(0x1000, &[5, 0, 6, 2, 8, 9, 7, 3, 1]);
        assert_eq!(two.find(Some(5)), Some([].as_slice()));
        assert_eq!(two.find(Some(6)), Some([8, 9].as_slice()));
        assert_eq!(two.find(Some(7)), None);
    }
}
