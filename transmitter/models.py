"""The real blocks of the transmitter, with their weights: the one place that knows which they are."""

from __future__ import annotations

from shared.allocator import keep_freed_memory
from shared.codec.catalogue import load_codec, load_follow_ups
from shared.codec.perceptual import PerceptualBasis
from shared.degree_predictor import DegreePredictor
from shared.perceptual.face_metrics import FaceMetrics
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.pictures import Picture
from shared.prior.backend import InferenceBackend, make_backend
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import committed
from transmitter.align import FaceAligner
from transmitter.curvature import Curvature
from transmitter.edit import AttributesMatcher
from transmitter.editor import LatentEditor
from transmitter.encoder import ImageEncoder
from transmitter.fields import EditDirections, SemanticFields
from transmitter.find import PhotoFaceFinder
from transmitter.invert import StyleGanInverter
from transmitter.latent_predictor import LatentPredictor
from transmitter.onlooker import Onlooker
from transmitter.parts import FaceFinder, TransmitterParts
from transmitter.receptions import Receptions
from transmitter.settings import TransmitterSettings
from transmitter.symbols import SymbolBudget
from transmitter.text.minilm_parser import MiniLmParser
from transmitter.text.parser import InstructionParser


def load_parts(settings: TransmitterSettings) -> TransmitterParts:
    """All blocks, sharing one prior.

    Raises:
        WeightsMissing: if a model is not there.
    """
    prior = MobileStyleGan.load()
    codec = load_codec(settings.codec, settings.adapters)
    receptions = Receptions(codec, SymbolBudget(settings.max_uses, settings.symbols))
    predictor = load_predictor()
    return TransmitterParts(
        finder=load_finder(),
        inverter=load_inverter(prior, receptions),
        parser=load_parser(),
        predictor=predictor,
        editor=load_editor(prior, receptions, Onlooker.of(prior, predictor)),
        codec=codec,
        follow_ups=load_follow_ups(codec),
        backend=make_backend(prior=prior),
    )


def load_finder() -> FaceFinder:
    """Photo to aligned face."""
    return PhotoFaceFinder(FaceAligner.load())


def load_inverter(prior: MobileStyleGan | None = None, receptions: Receptions | None = None) -> StyleGanInverter:
    """Aligned face to latent, where there are receptions for a link as well."""
    keep_freed_memory()
    metrics = FaceMetrics()

    def judge(face: Picture, reconstruction: Picture) -> tuple[float, float]:
        return metrics.lpips(reconstruction, face), metrics.identity_cosine(reconstruction, face)

    encoder = ImageEncoder.load(committed("encoder.safetensors"))
    curvature = Curvature.load(committed("curvature.safetensors"))
    prior = prior or MobileStyleGan.load()
    lpips, identity = Lpips.load(), MobileFaceNet.load()
    return StyleGanInverter(prior, encoder, lpips, identity, judge, curvature, receptions=receptions)


def load_editor(
    prior: MobileStyleGan, receptions: Receptions | None = None, onlooker: Onlooker | None = None
) -> LatentEditor:
    """Latent and wanted degrees to edited latent, matched before the channel where there are no receptions."""
    return AttributesMatcher(onlooker or Onlooker.of(prior, load_predictor()), load_fields(), receptions)


def load_fields() -> SemanticFields:
    """How degrees answer to moves, in the coordinates that the latent predictor was distilled in."""
    basis = PerceptualBasis.load(committed("basis_edits.safetensors"))
    latent_predictor = LatentPredictor.load(committed("latent_degrees.safetensors"))
    return SemanticFields(basis, latent_predictor, EditDirections.load(committed("edit_space.safetensors")))


def load_parser() -> InstructionParser:
    """Sentence to edits."""
    return MiniLmParser.load()


def load_predictor() -> DegreePredictor:
    """Picture to degrees."""
    return DegreePredictor.load(committed("degrees.safetensors"))


def load_backend() -> InferenceBackend:
    """Latent to picture."""
    return make_backend()
