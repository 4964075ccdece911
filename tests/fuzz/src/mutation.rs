//! Inputs near to a seed, the same ones for the same number: what a fuzzer does, without its eyes.

use simulation::random::Dice;

/// Longest input. A relay's call of some dozens of packets fits.
const LONGEST: usize = 8 * 1024;

/// Values at which lengths and counters break.
const EDGES: [u8; 10] = [0, 1, 2, 3, 15, 16, 127, 128, 254, 255];

/// The mutation with this number: a seed, changed in up to eight places.
pub fn mutation(seeds: &[Vec<u8>], seed: u64, number: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let below = |dice: &mut Dice, limit: usize| dice.below(limit.max(1) as u64) as usize;
    let mut input = seeds[below(&mut dice, seeds.len())].clone();
    for _ in 0..=dice.below(8) {
        let at = below(&mut dice, input.len());
        let length = 1 + below(&mut dice, 16);
        let end = (at + length).min(input.len());
        match dice.below(9) {
            0 if !input.is_empty() => input[at] ^= 1 << dice.below(8),
            1 if !input.is_empty() => input[at] = dice.pick(&EDGES),
            2 if !input.is_empty() => input[at] = dice.roll() as u8,
            3 => input.truncate(at),
            4 => drop(input.drain(at..end)),
            5 => {
                let bytes: Vec<u8> = (0..length).map(|_| dice.pick(&EDGES)).collect();
                input.splice(at..at, bytes);
            }
            6 => {
                let again = input[at..end].to_vec();
                let to = below(&mut dice, input.len());
                input.splice(to..to, again);
            }
            7 => {
                let other = &seeds[below(&mut dice, seeds.len())];
                let from = below(&mut dice, other.len());
                input.truncate(at);
                input.extend(&other[from..]);
            }
            _ if end - at >= 2 => {
                // A number of two bytes, a little off.
                let value = u16::from_be_bytes([input[at], input[at + 1]]);
                let value = value.wrapping_add(dice.below(9) as u16).wrapping_sub(4);
                input[at..at + 2].copy_from_slice(&value.to_be_bytes());
            }
            _ => {}
        }
        input.truncate(LONGEST);
    }
    input
}
