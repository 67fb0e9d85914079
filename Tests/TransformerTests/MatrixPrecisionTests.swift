import TensorKernels
import Testing
import Transformer

@Suite("Precision of a matrix")
struct MatrixPrecisionTests {
    @Test("follows from the precision of the model and the name")
    func rule() {
        let layer = "text.layers.3.mlp.up_proj.weight"
        let tower = "vision.encoder.layers.0.mlp.fc1.weight"
        let patches = "vision.embeddings.patch_embedding.weight"
        for name in [layer, tower, patches, "lm_head.weight", "projector.0.weight"] {
            #expect(WeightPrecision.stored.panelType(ofCanonical: name) == nil)
            #expect(WeightPrecision.float32.panelType(ofCanonical: name) == .float32)
            #expect(WeightPrecision.bfloat16.panelType(ofCanonical: name) == .bfloat16)
        }
        for precision in [WeightPrecision.int8, .int4] {
            #expect(precision.panelType(ofCanonical: tower) == .int8)
            #expect(precision.panelType(ofCanonical: "projector.0.weight") == .int8)
            #expect(precision.panelType(ofCanonical: "lm_head.weight") == .int8)
            #expect(precision.panelType(ofCanonical: patches) == nil)
        }
        #expect(WeightPrecision.int8.panelType(ofCanonical: layer) == .int8)
        #expect(WeightPrecision.int4.panelType(ofCanonical: layer) == .int4)
    }
}
