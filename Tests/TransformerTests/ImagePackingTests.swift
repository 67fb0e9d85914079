import TensorKernels
import Testing

@testable import Transformer

/// Token counts and rows of packed images.
///
/// What breaks silently: one row too many or too few gives a prompt that still runs, with every later
/// position shifted.
@Suite("Image packing")
struct ImagePackingTests {
    /// Width, height, tile rows, tile columns, tokens: from the reference's processor with tiles of 384.
    static let referenceCounts = [
        (512, 512, 2, 2, 3699), (1024, 1024, 3, 3, 7371), (1344, 768, 2, 4, 5859),
        (768, 1344, 4, 2, 5899), (384, 384, 1, 1, 1485), (98, 70, 1, 1, 1261),
        (200, 13, 1, 1, 757), (1, 1, 1, 1, 1485), (2000, 10, 1, 6, 892), (6000, 4000, 4, 6, 7329),
        (8192, 8192, 6, 6, 7371), (1000, 336, 1, 3, 2943), (1920, 1080, 3, 5, 7269),
        (61, 97, 1, 1, 1215), (392, 408, 2, 2, 3591), (1501, 2392, 6, 4, 7359),
        (1807, 1773, 5, 5, 7289), (93, 2138, 6, 1, 2025), (450, 1460, 4, 2, 4509),
        (831, 2983, 6, 2, 8343), (420, 2568, 6, 1, 5265), (2013, 748, 2, 6, 8667),
        (2942, 2946, 6, 6, 7371), (256, 51, 1, 1, 869), (1294, 915, 3, 4, 7257),
        (613, 237, 1, 2, 1884),
    ]

    @Test("counts tokens as the reference does", arguments: referenceCounts)
    func tokenCounts(width: Int, height: Int, rows: Int, columns: Int, tokens: Int) {
        let packing = ImagePacking(gridSide: 27, maximumTiles: 9, rounding: .sevenDecimals)
        let count = packing.tokenCount(
            of: .anyres(
                gridRows: rows,
                gridColumns: columns,
                originalWidth: width,
                originalHeight: height
            )
        )
        #expect(count == tokens)
    }

    @Test("keeps one row less where the original truncates and Hugging Face rounds")
    func rounding() {
        // 820 · (54 / 738) is 60 and comes out as 59.99999999999999.
        let image = ImageTiles.Packing.anyres(
            gridRows: 2,
            gridColumns: 3,
            originalWidth: 820,
            originalHeight: 738
        )
        let rounded = ImagePacking(gridSide: 27, maximumTiles: 9, rounding: .sevenDecimals)
        let truncated = ImagePacking(gridSide: 27, maximumTiles: 9, rounding: .truncated)
        #expect(rounded.tokenCount(of: image) != truncated.tokenCount(of: image))
    }

    @Test("a padded tile ends with the newline, a frame does not")
    func singleTiles() {
        let packing = ImagePacking(gridSide: 2, maximumTiles: 9, rounding: .sevenDecimals)
        #expect(pack([1, 2, 3, 4], .singleTile, packing) == [1, 2, 3, 4, -1])
        #expect(pack([1, 2, 3, 4], .frame, packing) == [1, 2, 3, 4])
    }

    @Test("counts pooled frames and one newline", arguments: [(27, 196), (8, 16), (7, 16), (1, 1)])
    func pooledCounts(gridSide: Int, frameTokens: Int) {
        let packing = ImagePacking(gridSide: gridSide, maximumTiles: 9, rounding: .sevenDecimals)
        for count in [1, 8, 32] {
            let tokens = packing.tokenCount(of: .pooledFrames(count: count))
            #expect(tokens == count * frameTokens + 1)
        }
    }

    @Test("pools every frame by itself and ends with one newline", arguments: [1, 3])
    func pooledFrames(threads: Int) {
        // torch.nn.functional.interpolate(arange(9).view(1,1,3,3), size=(2,2), mode="bilinear")
        // is 1, 2.5, 5.5, 7; the frames are that and 100 and 200 more.
        let expected: [Float] = [
            1, 2.5, 5.5, 7, 101, 102.5, 105.5, 107, 201, 202.5, 205.5, 207, -1,
        ]
        let packing = ImagePacking(gridSide: 3, maximumTiles: 9, rounding: .sevenDecimals)
        let frames = (0..<27).map { Float(100 * ($0 / 9) + $0 % 9) }
        let packed = pack(frames, .pooledFrames(count: 3), packing, threads: threads)
        #expect(packed == expected)
    }

    @Test("a frame of one patch is that patch")
    func smallestFrame() {
        let packing = ImagePacking(gridSide: 1, maximumTiles: 9, rounding: .sevenDecimals)
        #expect(pack([4, 2], .pooledFrames(count: 2), packing) == [4, 2, -1])
    }

    @Test("puts the whole image first, then the grid row by row, each row ended by the newline")
    func gridOrder() {
        let packing = ImagePacking(gridSide: 2, maximumTiles: 9, rounding: .sevenDecimals)
        // Tile 0, then two tiles side by side.
        let tiles: [Float] = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
        let image = ImageTiles.Packing.anyres(
            gridRows: 1,
            gridColumns: 2,
            originalWidth: 200,
            originalHeight: 100
        )
        #expect(
            pack(tiles, image, packing) == [0, 0, 0, 0, 1, 2, 5, 6, -1, 3, 4, 7, 8, -1]
        )
    }

    @Test("drops the rows that show padding only")
    func unpadding() {
        let packing = ImagePacking(gridSide: 4, maximumTiles: 9, rounding: .sevenDecimals)
        let tiles = (0..<32).map { Float($0 % 16) }
        // Half as tall as wide: the middle two rows of four show the image.
        let image = ImageTiles.Packing.anyres(
            gridRows: 1,
            gridColumns: 1,
            originalWidth: 100,
            originalHeight: 50
        )
        let packed = pack(tiles, image, packing)
        #expect(Array(packed.dropFirst(16)) == [4, 5, 6, 7, -1, 8, 9, 10, 11, -1])
    }

    @Test("an image too flat for one row of patches keeps the whole-image tile alone")
    func degenerateImage() {
        let packing = ImagePacking(gridSide: 2, maximumTiles: 9, rounding: .sevenDecimals)
        let image = ImageTiles.Packing.anyres(
            gridRows: 1,
            gridColumns: 1,
            originalWidth: 10_000,
            originalHeight: 1
        )
        #expect(pack([1, 2, 3, 4, 5, 6, 7, 8], image, packing) == [1, 2, 3, 4])
    }

    @Test("resizes bilinearly to the values of torch's interpolate")
    func bilinear() {
        // torch.nn.functional.interpolate(arange(36).view(1,1,6,6), size=(5,5), mode="bilinear")
        let packing = ImagePacking(gridSide: 6, maximumTiles: 1, rounding: .sevenDecimals)
        let window = ImagePacking.Window(
            rows: 0..<6,
            columns: 0..<6,
            outputRows: 5,
            outputColumns: 5
        )
        let grid = (0..<36).map(Float.init)
        var row = [Float](repeating: 0, count: 5)
        grid.withUnsafeBufferPointer { grid in
            row.withUnsafeMutableBufferPointer { row in
                guard let source = grid.baseAddress, let target = row.baseAddress else { return }
                PatchGrid(base: source, gridSide: packing.gridSide, tileColumns: 1, hidden: 1)
                    .resizeRow(1, of: window, into: target)
            }
        }
        let expected: [Float] = [7.9, 9.1, 10.3, 11.5, 12.7]
        for (value, wanted) in zip(row, expected) { #expect(abs(value - wanted) < 1e-5) }
    }

    @Test("the second tap of the last index stays inside")
    func lastTap() {
        let tap = BilinearTap(4, from: 3, to: 5)
        #expect(tap.first == 2)
        #expect(tap.second == 2)
    }

    /// Packs features of width 1 with a newline of −1.
    private func pack(
        _ tiles: [Float],
        _ image: ImageTiles.Packing,
        _ packing: ImagePacking,
        threads: Int = 1
    ) -> [Float] {
        let pool = ComputeThreadPool(threads: threads, name: "test")
        let newline: [Float] = [-1]
        return tiles.withUnsafeBufferPointer { tiles in
            newline.withUnsafeBufferPointer { newline in
                guard let first = tiles.baseAddress, let last = newline.baseAddress else {
                    return []
                }
                return packing.pack(first, packing: image, newline: last, hidden: 1, pool: pool)
                    .values
            }
        }
    }
}
