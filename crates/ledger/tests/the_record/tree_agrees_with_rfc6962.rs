//! The tree equals RFC 6962's reference values and another implementation; proofs prove that and nothing else.

use hearthline_ledger::*;
use proptest::prelude::*;

fn hash(hex: &str) -> Hash {
    hex.parse().unwrap()
}

/// The eight inputs of the Certificate Transparency reference tests, and their roots.
#[test]
fn reference_roots() {
    let inputs: [&[u8]; 8] = [
        b"",
        &[0],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    let leaves: Vec<Hash> = inputs.iter().map(|input| leaf_hash(input)).collect();
    assert_eq!(
        root(&[]),
        hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    );
    assert_eq!(
        root(&leaves[..1]),
        hash("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    );
    assert_eq!(
        root(&leaves[..2]),
        hash("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")
    );
    assert_eq!(
        root(&leaves),
        hash("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
    );
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count)
        .map(|number| leaf_hash(&number.to_le_bytes()))
        .collect()
}

/// The definition of RFC 6962 section 2.1, word for word, as the oracle for the frontier.
fn defined_root(leaves: &[Hash]) -> Hash {
    if leaves.len() < 2 {
        return leaves.first().copied().unwrap_or(Hash::of(&[]));
    }
    let mut k = 1;
    while k * 2 < leaves.len() {
        k *= 2;
    }
    node_hash(&defined_root(&leaves[..k]), &defined_root(&leaves[k..]))
}

#[test]
fn the_frontier_gives_the_root_at_every_size() {
    let leaves = leaves(600);
    let mut frontier = Frontier::new();
    for size in 0..=leaves.len() {
        assert_eq!(
            frontier.root(),
            defined_root(&leaves[..size]),
            "size {size}"
        );
        assert_eq!(root(&leaves[..size]), frontier.root());
        let stored = Frontier::from_peaks(frontier.size(), frontier.peaks().to_vec()).unwrap();
        assert_eq!(stored, frontier);
        assert_eq!(
            Frontier::from_peaks(frontier.size() + 1, frontier.peaks().to_vec()).is_some(),
            size % 2 == 1 && (size + 1).count_ones() == size.count_ones()
        );
        if size < leaves.len() {
            frontier.push(leaves[size]);
        }
    }
}

#[test]
fn every_proof_of_every_small_tree_holds_and_no_altered_one_does() {
    for size in 1..40usize {
        let leaves = leaves(size);
        let head = root(&leaves);
        for index in 0..size {
            let proof = inclusion_proof(&leaves, index).unwrap();
            let check = |leaf: &Hash, index: usize, size: usize, proof: &[Hash]| {
                verify_inclusion(leaf, index as u64, size as u64, proof, &head)
            };
            assert_eq!(check(&leaves[index], index, size, &proof), Ok(()));
            assert!(check(&leaf_hash(b"other"), index, size, &proof).is_err());
            if size > 1 {
                assert!(check(&leaves[index], (index + 1) % size, size, &proof).is_err());
                assert!(check(&leaves[index], index, size, &proof[1..]).is_err());
            }
            let mut longer = proof.clone();
            longer.push(head);
            assert!(check(&leaves[index], index, size, &longer).is_err());
        }
        assert_eq!(inclusion_proof(&leaves, size), None);
        for old in 0..=size {
            let proof = consistency_proof(&leaves, old).unwrap();
            let old_root = root(&leaves[..old]);
            let check = |old_root: &Hash, proof: &[Hash], head: &Hash| {
                verify_consistency(old as u64, old_root, size as u64, head, proof)
            };
            assert_eq!(check(&old_root, &proof, &head), Ok(()), "{old} in {size}");
            let other = leaf_hash(b"other");
            assert!(check(&other, &proof, &head).is_err());
            // Any tree extends the empty one, so its root is not bound by that proof.
            assert_eq!(check(&old_root, &proof, &other).is_err(), old > 0);
            let mut longer = proof.clone();
            longer.push(other);
            assert!(check(&old_root, &longer, &head).is_err());
            for changed in 0..proof.len() {
                let mut proof = proof.clone();
                proof[changed] = other;
                assert!(check(&old_root, &proof, &head).is_err());
            }
        }
        assert_eq!(consistency_proof(&leaves, size + 1), None);
    }
}

/// Another implementation as the oracle: equal roots, and each accepts the other's proofs.
#[test]
fn another_implementation_agrees() {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    let mut tree = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    let mut leaves = Vec::new();
    let mut roots = vec![root(&[])];
    for size in 1..=300u64 {
        let entry = size.to_be_bytes().to_vec();
        leaves.push(leaf_hash(&entry));
        tree.push(entry);
        roots.push(root(&leaves));
        assert_eq!(
            tree.root().as_bytes().as_slice(),
            roots[size as usize].0,
            "size {size}"
        );
    }
    let split = |bytes: &[u8]| -> Vec<Hash> {
        bytes
            .chunks(32)
            .map(|hash| Hash(hash.try_into().unwrap()))
            .collect()
    };
    for index in 0..300 {
        let theirs = tree.prove_inclusion(index);
        assert_eq!(
            split(theirs.as_bytes()),
            inclusion_proof(&leaves, index).unwrap()
        );
    }
    for old in 1..300usize {
        let theirs = split(tree.prove_consistency(300 - old).as_bytes());
        assert_eq!(theirs, consistency_proof(&leaves, old).unwrap(), "{old}");
        assert_eq!(
            verify_consistency(old as u64, &roots[old], 300, &roots[300], &theirs),
            Ok(())
        );
    }
}

#[test]
fn a_node_is_no_leaf() {
    let leaves = leaves(4);
    let mut node = leaves[0].0.to_vec();
    node.extend(leaves[1].0);
    // The two hashes as an entry of their own: without the prefixes this would be the same tree.
    let shorter = [leaf_hash(&node), node_hash(&leaves[2], &leaves[3])];
    assert_ne!(root(&shorter), root(&leaves));
}

proptest! {
    #[test]
    fn random_proofs_never_panic_and_never_hold(
        index in 0u64.., size in 0u64.., old in 0u64..,
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70),
    ) {
        let head = leaf_hash(b"head");
        prop_assert!(verify_inclusion(&leaf_hash(b"leaf"), index, size, &proof, &head).is_err());
        prop_assert!(verify_consistency(old, &leaf_hash(b"old"), size, &head, &proof).is_err());
    }
}
