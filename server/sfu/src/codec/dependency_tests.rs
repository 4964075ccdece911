use super::*;

/// Writes descriptors as the specification has them.
struct Form {
    bytes: [u8; MAX_BYTES],
    fields: Vec<(u32, u32)>,
}

impl Form {
    fn new(begins: bool, ends: bool, template: u32, number: u16) -> Self {
        let fields = vec![
            (u32::from(begins), 1),
            (u32::from(ends), 1),
            (template, 6),
            (u32::from(number), 16),
        ];
        Self { bytes: [0; MAX_BYTES], fields }
    }

    fn with(mut self, fields: &[(u32, u32)]) -> Self {
        self.fields.extend(fields);
        self
    }

    fn finish(mut self) -> Vec<u8> {
        let mut writer = BitWriter::new(&mut self.bytes);
        for (value, width) in self.fields {
            writer.bits(value, width).unwrap();
        }
        let len = writer.finish().unwrap();
        self.bytes[..len].to_vec()
    }
}

const N: u32 = 0;
const D: u32 = 1;
const S: u32 = 2;

/// Two sizes at two rates, of which the larger needs the smaller in key pictures alone (L2T2_KEY): decode targets are
/// S0T0, S0T1, S1T0, S1T1; templates S0 key, S0T0, S0T1, S1 key, S1T0, S1T1, from id 5 on.
fn structure() -> Vec<(u32, u32)> {
    let mut fields = vec![(5, 6), (3, 5)];
    // Layers: the same (key and delta of rate 0), next rate, next size…
    for next in [0, 1, 2, 0, 1, 3] {
        fields.push((next, 2));
    }
    let indications =
        [[S, S, S, S], [S, S, N, N], [N, D, N, N], [N, N, S, S], [N, N, S, S], [N, N, N, D]];
    fields.extend(indications.as_flattened().iter().map(|it| (*it, 2)));
    // References: none; 4; 2; 1 (in the picture); 4; 2.
    fields.push((0, 1));
    for reference in [4, 2, 1, 4, 2_u32] {
        fields.extend([(1, 1), (reference - 1, 4), (0, 1)]);
    }
    // Two chains (a number below 5), each size its own; distances for each template.
    fields.push((2, 2));
    fields.extend([0, 0, 1, 1].map(|chain| (chain, 1)));
    for distances in [[0, 0], [4, 3], [2, 1], [1, 1], [1, 4], [3, 2]] {
        fields.extend(distances.map(|it| (it, 4)));
    }
    // Sizes.
    fields.extend([(1, 1), (319, 16), (179, 16), (639, 16), (359, 16)]);
    fields
}

fn key(number: u16) -> Vec<u8> {
    Form::new(true, true, 5, number).with(&[(0b10000, 5)]).with(&structure()).finish()
}

fn rungs(set: LayerSet) -> Vec<usize> {
    (0..MAX_RUNGS).filter(|at| set.has(*at)).collect()
}

fn known() -> Option<Box<Structure>> {
    let mut known = None;
    Descriptor::parse(&key(1), &mut known).unwrap();
    known
}

#[test]
fn a_keyframe_brings_the_templates_by_which_the_frames_behind_it_are_read() {
    let mut known = None;
    let first = Descriptor::parse(&key(7), &mut known).unwrap();

    assert!(first.is_key && first.begins && first.ends && first.has_structure);
    assert_eq!((first.number, first.spatial, first.active), (7, 0, Some(0b1111)));
    // A stream of two sizes and rates on the ladder of nine: the full rate is its second, the largest size its second.
    assert_eq!(rungs(first.members), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(first.members, first.switches);
    assert_eq!(known.as_ref().unwrap().heights(), [Some(180), Some(360), None]);

    let mut read = |template| {
        let bytes = Form::new(true, false, template, 9).finish();
        let read = Descriptor::parse(&bytes, &mut known).unwrap();
        assert!(!read.is_key && !read.has_structure && read.begins && !read.ends);
        (read.spatial, rungs(read.members), rungs(read.switches))
    };
    assert_eq!(read(6), (0, vec![0, 1, 2], vec![0, 1, 2]));
    assert_eq!(read(7), (0, vec![1, 2], vec![]), "the second rate, which nothing begins with");
    assert_eq!(read(9), (1, vec![3, 4, 5, 6, 7, 8], vec![3, 4, 5, 6, 7, 8]));
    assert_eq!(read(10), (1, vec![4, 5, 7, 8], vec![]));
}

#[test]
fn templates_that_nobody_sent_and_descriptors_that_end_early_are_refused_and_change_nothing() {
    let delta = Form::new(true, true, 6, 1).finish();
    assert_eq!(Descriptor::parse(&delta, &mut None), None, "no templates yet");
    let mut templates = known();
    for template in [4, 11, 63] {
        let bytes = Form::new(true, true, template, 1).finish();
        assert_eq!(Descriptor::parse(&bytes, &mut templates), None, "template {template}");
    }
    let whole = key(1);
    for len in 0..whole.len() {
        let mut nothing = None;
        assert_eq!(Descriptor::parse(&whole[..len], &mut nothing), None, "{len} bytes");
        assert_eq!(nothing, None);
    }
    assert_eq!(Descriptor::parse(&[0; MAX_BYTES + 1], &mut templates), None);
    assert_eq!(templates, known());
}

#[test]
fn a_frame_may_say_for_itself_what_differs_from_its_template() {
    let mut known = known();
    // Its indications, its references (one of 8 bits), its chains.
    let bytes = Form::new(true, true, 6, 2)
        .with(&[(0b00111, 5), (N, 2), (S, 2), (N, 2), (N, 2)])
        .with(&[(2, 2), (40, 8), (0, 2), (9, 8), (0, 8)])
        .finish();
    let read = Descriptor::parse(&bytes, &mut known).unwrap();
    assert_eq!((rungs(read.members), rungs(read.switches)), (vec![1, 2], vec![1, 2]));
    for len in 3..bytes.len() {
        assert_eq!(Descriptor::parse(&bytes[..len], &mut known).filter(|_| len > 3), None);
    }
}

#[test]
fn the_decode_targets_that_are_left_are_said_in_the_first_frame_and_with_the_templates() {
    let known = known().unwrap();
    assert_eq!(known.active(2), 0b0011);
    assert_eq!(known.active(0), 0b0001);
    assert_eq!(known.active(3), 0b0101);
    assert_eq!(known.active(8), 0b1111);
    assert!(known.shows(0b0011, 0) && !known.shows(0b0011, 1));

    let delta = Form::new(true, true, 6, 65_530).finish();
    for (bytes, rung) in [(&delta, 2), (&key(3), 0), (&key(3), 5)] {
        let mut templates = Some(known.clone());
        let before = Descriptor::parse(bytes, &mut templates).unwrap();
        let mut buffer = [0xff; MAX_BYTES];
        let active = known.active(rung);
        let len = rewrite(bytes, known.targets(), 10, Some(active), &mut buffer).unwrap();
        let after = Descriptor::parse(&buffer[..len], &mut templates).unwrap();
        let number = before.number.wrapping_add(10);
        assert_eq!(after, Descriptor { number, active: Some(active), ..before });
        assert!(len <= bytes.len() + 2, "{len} bytes");
    }
    // A publisher that sends less than that has the last word.
    let less = Form::new(true, true, 6, 1).with(&[(0b01000, 5), (0b0001, 4)]).finish();
    let mut buffer = [0; MAX_BYTES];
    let len = rewrite(&less, known.targets(), 0, Some(0b0011), &mut buffer).unwrap();
    let after = Descriptor::parse(&buffer[..len], &mut Some(known.clone())).unwrap();
    assert_eq!(after.active, Some(0b0001));
    assert_eq!(len, less.len());
}

#[test]
fn a_number_alone_is_moved_without_a_look_at_the_rest() {
    let mut buffer = [0; MAX_BYTES];
    let len = rewrite(&key(65_535), 4, 2, None, &mut buffer).unwrap();
    assert_eq!(buffer[..len], key(1));
    assert_eq!(rewrite(&[0, 1], 4, 2, None, &mut buffer), None);
}
