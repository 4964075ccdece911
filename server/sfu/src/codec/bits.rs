//! Bits out of bytes and into bytes, the most significant first.

/// Reads. What ends early is `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Some(bit)
    }

    /// A number of so many bits, at most 32.
    pub(crate) fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value: u32 = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.bit()?);
        }
        Some(value)
    }

    /// A number below `limit`, in as few bits as its size allows (`ns(n)` of the AV1 bitstream, §4.10.7).
    pub(crate) fn below(&mut self, limit: u32) -> Option<u32> {
        let width = u32::BITS - limit.leading_zeros();
        let short = (1 << width) - limit;
        let value = self.bits(width.checked_sub(1)?)?;
        if value < short {
            return Some(value);
        }
        Some((value << 1 | u32::from(self.bit()?)).saturating_sub(short))
    }

    /// An Exp-Golomb number (`ue(v)` of H.264, §9.1), of at most 32 bits.
    pub(crate) fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.bits(zeros)?;
        Some((1_u32 << zeros).wrapping_sub(1).wrapping_add(rest))
    }

    /// Bits read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }
}

/// Writes over what was there. What does not fit is `None`.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> BitWriter<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn bit(&mut self, bit: bool) -> Option<()> {
        let byte = self.bytes.get_mut(self.at / 8)?;
        let mask = 0x80 >> (self.at % 8);
        *byte = if bit { *byte | mask } else { *byte & !mask };
        self.at += 1;
        Some(())
    }

    /// The lower `count` bits of a number, at most 32.
    pub(crate) fn bits(&mut self, value: u32, count: u32) -> Option<()> {
        (0..count).rev().try_for_each(|at| self.bit(value >> at & 1 == 1))
    }

    /// Fills the last byte with zeros; how many bytes there are.
    pub(crate) fn finish(mut self) -> Option<usize> {
        while !self.at.is_multiple_of(8) {
            self.bit(false)?;
        }
        Some(self.at / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_width_come_back_and_what_ends_early_is_refused() {
        let mut bytes = [0xff; 6];
        let mut writer = BitWriter::new(&mut bytes);
        writer.bits(5, 3).unwrap();
        writer.bits(0x1_2345, 17).unwrap();
        writer.bit(true).unwrap();
        assert_eq!(writer.finish(), Some(3));

        let mut reader = BitReader::new(&bytes[..3]);
        assert_eq!(reader.bits(3), Some(5));
        assert_eq!(reader.bits(17), Some(0x1_2345));
        assert_eq!(reader.bit(), Some(true));
        assert_eq!((reader.position(), reader.bits(3)), (21, Some(0)));
        assert_eq!(reader.bit(), None);
    }

    #[test]
    fn numbers_below_a_limit_take_as_few_bits_as_the_standard_says() {
        // The table of the AV1 bitstream for n = 5: 0, 1 and 2 in two bits, 3 and 4 in three.
        let mut reader = BitReader::new(&[0b0001_1011, 0b0111_0000]);
        let values: Vec<_> = (0..5).map(|_| reader.below(5).unwrap()).collect();
        assert_eq!((values, reader.position()), (vec![0, 1, 2, 3, 4], 12));
        assert_eq!(BitReader::new(&[]).below(1), Some(0), "nothing to choose needs no bit");
        assert_eq!(BitReader::new(&[0xff]).below(0), None);
    }

    #[test]
    fn exponential_golomb_numbers_are_those_of_the_standard() {
        // 1, 010, 011, 00100, 00101: 0 to 4 (H.264 table 9-2).
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let values: Vec<_> = (0..5).map(|_| reader.golomb().unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
        assert_eq!(BitReader::new(&[0; 9]).golomb(), None, "longer than any number");
    }
}
